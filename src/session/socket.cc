#include "session/socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/file.h"
#include "base/own_dir.h"

namespace llama::session {
namespace {

constexpr time_t kConnectSeconds = 10;

struct Address {
  sockaddr_un bytes{};
  socklen_t size = 0;
};

Result<Address> AddressOf(const std::string& run_dir, const Fd& dir, const std::string& name) {
  Address address;
  std::string path = run_dir + "/" + name;
  if (path.size() >= sizeof address.bytes.sun_path) {
    path = "/proc/self/fd/" + std::to_string(dir.get()) + "/" + name;
  }
  if (path.size() >= sizeof address.bytes.sun_path) return ErrnoError(ENAMETOOLONG, path);
  address.bytes.sun_family = AF_UNIX;
  std::memcpy(address.bytes.sun_path, path.c_str(), path.size() + 1);
  address.size = static_cast<socklen_t>(sizeof address.bytes);
  return address;
}

Result<Fd> NewSocket(int flags) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
  if (fd < 0) return ErrnoError(errno, "socket");
  return Fd(fd);
}

}  // namespace

std::string RunDir(const std::string& state_dir) { return state_dir + "/run"; }

Result<Fd> OpenRunDir(const std::string& run_dir, bool create) {
  if (create) {
    TRY(MakeOwnDir(std::string(DirName(run_dir))));
    TRY(MakeOwnDir(run_dir));
  }
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
  Result<Fd> opened = OpenFile(run_dir, kFlags);
  // Somebody has closed it, or the state folder, to this very user.
  if (!opened && opened.error().code != Code::kNotFound && !create) {
    return OpenRunDir(run_dir, /*create=*/true);
  }
  ASSIGN_OR_RETURN(Fd dir, std::move(opened));
  struct stat st {};
  if (fstat(dir.get(), &st) != 0) return ErrnoError(errno, run_dir);
  if (st.st_uid != geteuid() || (st.st_mode & 077) != 0) {
    return Error{Code::kInvalid, run_dir + ": must belong to this user alone (mode 0700)"};
  }
  return dir;
}

Result<void> CheckPeer(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return ErrnoError(errno, "peer of the daemon socket");
  }
  if (peer.uid == geteuid()) return {};
  return Error{Code::kInvalid, "daemon socket: the other end is user " + std::to_string(peer.uid)};
}

pid_t PeerPid(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
}

Result<Fd> ConnectSocket(const std::string& run_dir) {
  ASSIGN_OR_RETURN(const Fd dir, OpenRunDir(run_dir, /*create=*/false));
  ASSIGN_OR_RETURN(const Address address, AddressOf(run_dir, dir, kSocketName));
  ASSIGN_OR_RETURN(Fd fd, NewSocket(0));
  // connect(2) blocks while the backlog is full; a daemon that hangs must not make us hang too.
  const timeval limit{kConnectSeconds, 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  int connected = 0;
  do {
    connected = connect(fd.get(), reinterpret_cast<const sockaddr*>(&address.bytes), address.size);
  } while (connected != 0 && errno == EINTR);
  if (connected != 0) {
    const std::string path = run_dir + "/" + kSocketName;
    if (errno == ECONNREFUSED) return Error{Code::kNotFound, path + ": nobody listens"};
    if (errno == EAGAIN) return Error{Code::kDeadline, path + ": takes no connections"};
    return ErrnoError(errno, path);
  }
  TRY(CheckPeer(fd.get()));
  return fd;
}

Result<Fd> ListenSocket(const std::string& run_dir) {
  ASSIGN_OR_RETURN(const Fd dir, OpenRunDir(run_dir, /*create=*/true));
  const std::string fresh = std::string(kSocketName) + ".new";
  ASSIGN_OR_RETURN(const Address address, AddressOf(run_dir, dir, fresh));
  ASSIGN_OR_RETURN(Fd fd, NewSocket(SOCK_NONBLOCK));
  unlinkat(dir.get(), fresh.c_str(), 0);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address.bytes), address.size) != 0 ||
      listen(fd.get(), SOMAXCONN) != 0 ||
      renameat(dir.get(), fresh.c_str(), dir.get(), kSocketName) != 0) {
    return ErrnoError(errno, run_dir + "/" + kSocketName);
  }
  return fd;
}

}  // namespace llama::session
