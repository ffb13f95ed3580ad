// What the C programs share: the protocol of bench/measurer.ts on standard input and output, sockets, time.
#ifndef MEASURE_H
#define MEASURE_H
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

// The largest number of clients at once.
#define CLIENTS_MAX 256

// Does one operation of a mode and gives its microseconds; counts a handoff that became a reconnect.
typedef double (*measured)(const char *mode, atomic_int *fallbacks);

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

static double now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static struct sockaddr_un address(const char *path) {
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof a.sun_path) fail("path too long");
  strcpy(a.sun_path, path);
  return a;
}

static int dial(const char *path) {
  struct sockaddr_un a = address(path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) < 0) fail("connect");
  return fd;
}

static void send_all(int fd, const void *bytes, size_t length) {
  if (send(fd, bytes, length, MSG_NOSIGNAL) != (ssize_t)length) fail("send");
}

// One command: `samples` operations, shared by all threads.
struct command {
  char mode[32], file[256];
  int clients, samples, gap_us;
  measured run;
  double *us;
  atomic_int next, fallbacks;
};

static void *client_thread(void *argument) {
  struct command *c = argument;
  for (int i; (i = atomic_fetch_add(&c->next, 1)) < c->samples;) {
    if (c->gap_us > 0) usleep(c->gap_us);
    c->us[i] = c->run(c->mode, &c->fallbacks);
  }
  return NULL;
}

static void run_command(struct command *c) {
  pthread_t threads[CLIENTS_MAX];
  double start = now_us();
  for (int i = 1; i < c->clients; i++) {
    if (pthread_create(&threads[i], NULL, client_thread, c) != 0) fail("pthread_create");
  }
  client_thread(c);
  for (int i = 1; i < c->clients; i++) pthread_join(threads[i], NULL);
  double elapsed = now_us() - start;
  FILE *file = fopen(c->file, "ab");
  if (file == NULL || fwrite(c->us, sizeof(double), c->samples, file) != (size_t)c->samples) fail(c->file);
  fclose(file);
  printf("done %.3f %d\n", elapsed, c->fallbacks);
  fflush(stdout);
}

// Reads commands until standard input ends.
static void serve_commands(measured run) {
  char line[512];
  printf("ready\n");
  fflush(stdout);
  while (fgets(line, sizeof line, stdin) != NULL) {
    struct command c = {.run = run};
    int found = sscanf(line, "%31s %d %d %d %255s", c.mode, &c.clients, &c.samples, &c.gap_us, c.file);
    if (found != 5 || c.clients < 1 || c.clients > CLIENTS_MAX || c.samples < 1) fail("command");
    if ((c.us = calloc(c.samples, sizeof(double))) == NULL) fail("calloc");
    run_command(&c);
    free(c.us);
  }
}
#endif
