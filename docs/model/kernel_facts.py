"""What AF_UNIX stream sockets do, as far as warm_channel.pml depends on it. Run: python3 kernel_facts.py"""
import errno, os, resource, select, socket


def pair():
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)


def events(s):
    poller = select.poll()
    poller.register(s, select.POLLIN | select.POLLRDHUP)
    found = poller.poll(0)
    return hex(found[0][1]) if found else "none"


def offer(a, fd):
    return socket.send_fds(a, [b"T" * 16], [fd])


def attempt(call):
    try:
        return call()
    except OSError as error:
        return errno.errorcode[error.errno]


a, a_peer = pair()
client, server = pair()
a.setblocking(False)
a_peer.setblocking(False)
count = 0
while (result := attempt(lambda: offer(a, server.fileno()))) == 16:
    count += 1
print("offers until A is full:", count, "then", result)
whole = 0
while True:
    got = attempt(lambda: socket.recv_fds(a_peer, 16, 1))
    if isinstance(got, str):
        break
    assert len(got[0]) == 16 and len(got[1]) == 1
    os.close(got[1][0])
    whole += 1
print("received, each with 16 bytes and one descriptor:", whole)

a, a_peer = pair()
client, server = pair()
offer(a, server.fileno())
server.close()
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
filling = []
while isinstance(fd := attempt(lambda: os.dup(0)), int):
    filling.append(fd)
data, control, flags, _ = a_peer.recvmsg(16, socket.CMSG_SPACE(4))
for fd in filling:
    os.close(fd)
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
print("receiver out of descriptors:", len(data), "bytes,", control, "flags", hex(flags), "client:", client.recv(1))

a, a_peer = pair()
client, server = pair()
offer(a, server.fileno())
server.close()
a.close()
print("client after the sender closed A:", events(client))
a_peer.close()
print("client after the receiver closed A:", events(client), client.recv(1))

b, b_peer = pair()
b.send(b"frame")
b_peer.send(b"ack")
b.close()
print("B closed with ACKs unread:", events(b_peer), attempt(lambda: b_peer.recv(9)), attempt(lambda: b_peer.recv(9)))

a, a_peer = pair()
client, server = pair()
a_peer.close()
print("offer on an A whose receiver closed:", attempt(lambda: offer(a, server.fileno())))

client, server = pair()
server.send(b"Negotiated")
client.send(b"early")
server.close()
print("client with unread early data:", attempt(lambda: client.recv(10)), attempt(lambda: client.recv(9)))
