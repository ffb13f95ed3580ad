// floor FOLDER: what the kernel takes for the same work without a protocol.
//   floor-connect   connect, one byte there and back
//   floor-work      the same, but the server computes for WORK_US before it answers, about as long as a broker does:
//                   only who computes is made to wait where the processor is shared
//   floor-handoff   floor-connect, but a front process accepts and passes the connection to the one that answers
#include "measure.h"
#include <signal.h>
#include <sys/prctl.h>

#define WORK_US 50.0

static char connect_path[100], work_path[100], handoff_path[100];

static int listen_on(const char *path) {
  struct sockaddr_un a = address(path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 511) < 0) fail(path);
  return fd;
}

static int accept_one(int listener) {
  int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  if (fd < 0) fail("accept");
  return fd;
}

static double computed_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void answer(int fd, double work_us) {
  char byte;
  if (read(fd, &byte, 1) == 1) {
    double end = computed_us() + work_us;
    while (work_us > 0 && computed_us() < end) continue;
    send_all(fd, &byte, 1);
  }
  close(fd);
}

// 16 bytes travel with the descriptor, as in the protocol.
static void pass(int to, int fd) {
  char token[16] = {0};
  union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control = {{0}};
  struct iovec iov = {token, sizeof token};
  struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  *header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
  memcpy(CMSG_DATA(header), &fd, sizeof fd);
  if (sendmsg(to, &message, MSG_NOSIGNAL) != sizeof token) fail("sendmsg");
  close(fd);
}

static int take(int from) {
  char token[16];
  union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control;
  struct iovec iov = {token, sizeof token};
  struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  if (recvmsg(from, &message, MSG_CMSG_CLOEXEC) != sizeof token) fail("recvmsg");
  int fd;
  memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
  return fd;
}

// Gives true in a child that ends with this process.
static int in_child(void) {
  pid_t parent = getpid();
  pid_t pid = fork();
  if (pid < 0) fail("fork");
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) exit(0);
  }
  return pid == 0;
}

static double once(const char *mode, atomic_int *fallbacks) {
  (void)fallbacks;
  int is_connect = strcmp(mode, "floor-connect") == 0, is_work = strcmp(mode, "floor-work") == 0;
  const char *path = is_connect ? connect_path : is_work ? work_path : handoff_path;
  char byte = 7;
  double start = now_us();
  int fd = dial(path);
  send_all(fd, &byte, 1);
  if (read(fd, &byte, 1) != 1) fail("read");
  double us = now_us() - start;
  close(fd);
  return us;
}

int main(int count, char **arguments) {
  if (count != 2) fail("usage: floor FOLDER");
  snprintf(connect_path, sizeof connect_path, "%s/floor-connect.sock", arguments[1]);
  snprintf(work_path, sizeof work_path, "%s/floor-work.sock", arguments[1]);
  snprintf(handoff_path, sizeof handoff_path, "%s/floor-handoff.sock", arguments[1]);
  int direct = listen_on(connect_path), working = listen_on(work_path), front = listen_on(handoff_path), pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) fail("socketpair");
  if (in_child()) for (;;) answer(accept_one(direct), 0);
  if (in_child()) for (;;) answer(accept_one(working), WORK_US);
  if (in_child()) for (;;) pass(pair[0], accept_one(front));
  if (in_child()) for (;;) answer(take(pair[1]), 0);
  serve_commands(once);
  return 0;
}
