// client BROKER PLAIN ADOPTING EARLY REQUEST: a compiled client. The last four are hexadecimal: three Hellos, each a
// whole frame, and a request that is echoed. Times run from before the connect to the last byte of the answer.
//   reconnect       Hello, Negotiated, connect to the backend, request, answer
//   handoff         Hello, Negotiated, ready, request, answer
//   handoff-early   Hello and request in one write, Negotiated, ready, answer
#include "measure.h"

#define FRAME_BYTES_MAX 4096

struct bytes {
  unsigned char *data;
  size_t length;
};

static const char *broker;
static struct bytes plain, adopting, early, request;

static struct bytes from_hex(const char *text) {
  struct bytes b = {malloc(strlen(text) / 2 + 1), strlen(text) / 2};
  for (size_t i = 0; i < b.length; i++) sscanf(text + 2 * i, "%2hhx", &b.data[i]);
  return b;
}

static struct bytes joined(struct bytes a, struct bytes b) {
  struct bytes both = {malloc(a.length + b.length), a.length + b.length};
  memcpy(both.data, a.data, a.length);
  memcpy(both.data + a.length, b.data, b.length);
  return both;
}

// A connection and what was read from it but not yet used.
struct stream {
  int fd;
  size_t length;
  unsigned char buffer[2 * FRAME_BYTES_MAX];
};

// Gives false when the peer has ended before so many bytes.
static int fill(struct stream *s, size_t length) {
  while (s->length < length) {
    ssize_t n = read(s->fd, s->buffer + s->length, sizeof s->buffer - s->length);
    if (n < 0 && errno != ECONNRESET) fail("read");
    if (n <= 0) return 0;
    s->length += n;
  }
  return 1;
}

static void drop(struct stream *s, size_t length) {
  s->length -= length;
  memmove(s->buffer, s->buffer + length, s->length);
}

static size_t varint(struct bytes *in) {
  size_t value = 0;
  for (int shift = 0; in->length > 0; shift += 7) {
    unsigned char byte = *in->data;
    in->data++, in->length--;
    value |= (size_t)(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  fail("a message that ends early");
  return 0;
}

// The bytes of a length-delimited field of a protobuf message; none when it is absent.
static struct bytes field(struct bytes message, size_t wanted) {
  while (message.length > 0) {
    size_t tag = varint(&message), value = varint(&message);
    if ((tag & 7) == 0) continue;
    if ((tag & 7) != 2 || value > message.length) fail("a message of another shape");
    if (tag >> 3 == wanted) return (struct bytes){message.data, value};
    message.data += value, message.length -= value;
  }
  return (struct bytes){NULL, 0};
}

// Gives no bytes when the peer has ended instead.
static struct bytes read_frame(struct stream *s) {
  if (!fill(s, 5)) return (struct bytes){NULL, 0};
  size_t length = s->buffer[1] | s->buffer[2] << 8 | s->buffer[3] << 16 | (size_t)s->buffer[4] << 24;
  if (s->buffer[0] != 1 || length > FRAME_BYTES_MAX) fail("no frame");
  if (!fill(s, 5 + length)) return (struct bytes){NULL, 0};
  return (struct bytes){s->buffer + 5, length};
}

// Frame.payload, HelloReply.negotiated, Negotiated.backend_pipe.
static void read_negotiated(struct stream *s, char *backend, size_t size) {
  struct bytes frame = read_frame(s);
  struct bytes pipe = field(field(field(frame, 4), 1), 3);
  if (pipe.length == 0 || pipe.length >= size) fail("not negotiated");
  memcpy(backend, pipe.data, pipe.length);
  backend[pipe.length] = 0;
  drop(s, 5 + frame.length);
}

// Gives false when the connection was not handed over after all.
static int skip_ready(struct stream *s) {
  struct bytes frame = read_frame(s);
  if (frame.length > 0) drop(s, 5 + frame.length);
  return frame.length > 0;
}

static void read_answer(struct stream *s) {
  if (!fill(s, request.length)) fail("no answer");
  if (memcmp(s->buffer, request.data, request.length) != 0) fail("another answer");
}

static void reconnect(struct stream *s, const char *backend) {
  close(s->fd);
  *s = (struct stream){.fd = dial(backend)};
  send_all(s->fd, request.data, request.length);
}

static double once(const char *mode, atomic_int *fallbacks) {
  int is_early = strcmp(mode, "handoff-early") == 0, is_reconnect = strcmp(mode, "reconnect") == 0;
  struct bytes hello = is_reconnect ? plain : is_early ? early : adopting;
  struct stream s = {.length = 0};
  char backend[108];
  double start = now_us();
  s.fd = dial(broker);
  send_all(s.fd, hello.data, hello.length);
  read_negotiated(&s, backend, sizeof backend);
  if (is_reconnect) {
    reconnect(&s, backend);
  } else if (!skip_ready(&s)) {
    atomic_fetch_add(fallbacks, 1);
    reconnect(&s, backend);
  } else if (!is_early) {
    send_all(s.fd, request.data, request.length);
  }
  read_answer(&s);
  double us = now_us() - start;
  close(s.fd);
  return us;
}

int main(int count, char **arguments) {
  if (count != 6) fail("usage: client BROKER PLAIN ADOPTING EARLY REQUEST");
  broker = arguments[1];
  request = from_hex(arguments[5]);
  plain = from_hex(arguments[2]);
  adopting = from_hex(arguments[3]);
  early = joined(from_hex(arguments[4]), request);
  serve_commands(once);
  return 0;
}
