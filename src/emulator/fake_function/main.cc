// For tests: a function's bootstrap that does what its payload tells it to. One static file without
// any library of ours, so that it runs in a bare root. The payload is a JSON string, "verb rest";
// the answer is one, too. What FAKE_INIT is set to happens before the first job is asked for.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

int Connect() {
  const char* api = std::getenv("AWS_LAMBDA_RUNTIME_API");
  const char* colon = api == nullptr ? nullptr : std::strchr(api, ':');
  if (colon == nullptr) return -1;
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(std::atoi(colon + 1)));
  inet_pton(AF_INET, std::string(api, colon).c_str(), &address.sin_addr);
  return connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 ? fd : -1;
}

void SendAll(int fd, const std::string& text) {
  for (size_t at = 0; at < text.size();) {
    const ssize_t n = send(fd, text.data() + at, text.size() - at, MSG_NOSIGNAL);
    if (n <= 0) return;
    at += static_cast<size_t>(n);
  }
}

struct Answer {
  std::string head;
  std::string body;
};

// One message with a Content-Length; the end of the stream ends the program.
Answer Read(int fd) {
  std::string bytes;
  size_t size = 0;
  size_t head = std::string::npos;
  while (head == std::string::npos || bytes.size() < head + 4 + size) {
    char chunk[65536];
    const ssize_t n = recv(fd, chunk, sizeof chunk, 0);
    if (n <= 0) std::exit(0);
    bytes.append(chunk, static_cast<size_t>(n));
    head = bytes.find("\r\n\r\n");
    const size_t length = bytes.find("Content-Length: ");
    if (head != std::string::npos && length < head) {
      size = std::strtoul(bytes.c_str() + length + 16, nullptr, 10);
    }
  }
  return {bytes.substr(0, head + 2), bytes.substr(head + 4, size)};
}

std::string HeaderOf(const Answer& answer, const std::string& name) {
  const size_t at = answer.head.find("\r\n" + name + ": ");
  if (at == std::string::npos) return "";
  const size_t begin = at + name.size() + 4;
  return answer.head.substr(begin, answer.head.find("\r\n", begin) - begin);
}

std::string Post(int fd, const std::string& path, const std::string& body,
                 const std::string& headers = "") {
  SendAll(fd, "POST /2018-06-01/runtime/" + path + " HTTP/1.1\r\nHost: x\r\n" + headers +
                  "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  return Read(fd).head.substr(9, 3);
}

std::string PostInPieces(int fd, const std::string& path, const std::string& body) {
  char size[32];
  std::snprintf(size, sizeof size, "%zx", body.size());
  SendAll(fd, "POST /2018-06-01/runtime/" + path +
                  " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                  "Lambda-Runtime-Function-Response-Mode: streaming\r\n\r\n" +
                  size + "\r\n" + body + "\r\n0\r\n\r\n");
  return Read(fd).head.substr(9, 3);
}

std::string Errno(long result) { return result == 0 ? "0" : std::strerror(errno); }

std::string TryCall(const std::string& name) {
  errno = 0;
  if (name == "ptrace") return Errno(ptrace(PTRACE_TRACEME, 0, nullptr, nullptr));
  if (name == "chroot") return Errno(chroot("/tmp"));
  if (name == "unshare") return Errno(unshare(CLONE_NEWUSER));
  if (name == "unshare-files") return Errno(unshare(CLONE_FILES));
  if (name == "mount") return Errno(mount("none", "/tmp", "tmpfs", 0, nullptr));
  if (name == "clone") {
    const long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, nullptr, nullptr, nullptr, 0);
    if (pid == 0) _exit(0);
    return Errno(pid < 0 ? -1 : 0);
  }
  if (name == "fork") {
    const pid_t pid = fork();
    if (pid == 0) _exit(0);
    return Errno(pid < 0 ? -1 : 0);
  }
  return "unknown call";
}

// Megabytes that are really used.
std::string Allocate(long megabytes) {
  static std::vector<char*> kept;
  for (long i = 0; i < megabytes; ++i) {
    constexpr size_t kMegabyte = 1 << 20;
    char* const block = static_cast<char*>(std::malloc(kMegabyte));
    std::memset(block, 1 + static_cast<int>(i % 100), kMegabyte);
    kept.push_back(block);
  }
  while (true) pause();
}

std::string Fill(long megabytes) {
  const int fd = open("/tmp/filled", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const std::string chunk(1 << 20, 'x');
  for (long i = 0; i < megabytes; ++i) {
    if (write(fd, chunk.data(), chunk.size()) != static_cast<ssize_t>(chunk.size())) {
      return std::strerror(errno);
    }
  }
  return "0";
}

// A process in a session of its own, for ever.
std::string Linger() {
  const pid_t pid = fork();
  if (pid == 0) {
    setsid();
    while (true) pause();
  }
  return std::to_string(pid);
}

std::string Obey(const std::string& verb, const std::string& rest) {
  static int served = 0;
  ++served;
  const long number = std::atol(rest.c_str());
  if (verb == "echo") return rest;
  if (verb == "served") return std::to_string(served);
  if (verb == "env") {
    const char* value = std::getenv(rest.c_str());
    return value == nullptr ? "(none)" : value;
  }
  if (verb == "environ") {
    std::string all;
    for (char** variable = environ; *variable != nullptr; ++variable) {
      all += std::string(*variable, std::strchr(*variable, '=')) + " ";
    }
    return all;
  }
  if (verb == "hang") {
    while (true) pause();
  }
  if (verb == "slow") {
    usleep(static_cast<useconds_t>(number) * 1000);
    return rest;
  }
  if (verb == "exit") std::exit(static_cast<int>(number));
  if (verb == "kill") kill(getpid(), static_cast<int>(number));
  if (verb == "print") {
    std::printf("%s\n", rest.c_str());
    std::fflush(stdout);
    return rest;
  }
  if (verb == "big") return std::string(static_cast<size_t>(number), 'x');
  if (verb == "try") return TryCall(rest);
  if (verb == "allocate") return Allocate(number);
  if (verb == "fill") return Fill(number);
  if (verb == "linger") return Linger();
  if (verb == "there") return access(rest.c_str(), F_OK) == 0 ? "yes" : "no";
  if (verb == "write") {
    const int fd = open(rest.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    return Errno(fd < 0 ? -1 : 0);
  }
  if (verb == "uid") return std::to_string(getuid());
  if (verb == "descriptors") {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    return std::to_string(limit.rlim_cur);
  }
  return "unknown verb";
}

void ServeOne(int fd) {
  SendAll(fd, "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n");
  const Answer job = Read(fd);
  const std::string at = "invocation/" + HeaderOf(job, "Lambda-Runtime-Aws-Request-Id");
  std::string text = job.body;
  if (text.size() >= 2 && text.front() == '"') text = text.substr(1, text.size() - 2);
  const std::string verb = text.substr(0, text.find(' '));
  const std::string rest = text.size() > verb.size() ? text.substr(verb.size() + 1) : "";
  if (verb == "fail") {
    Post(fd, at + "/error", R"({"errorType":"Told","errorMessage":"as it was told"})",
         "Lambda-Runtime-Function-Error-Type: Told\r\n");
  } else if (verb == "stream") {
    PostInPieces(fd, at + "/response", "\"" + rest + "\"");
  } else if (verb == "header") {
    Post(fd, at + "/response", "\"" + HeaderOf(job, rest) + "\"");
  } else if (verb == "wrong-id") {
    const std::string status = Post(fd, "invocation/nobody/response", "1");
    Post(fd, at + "/response", "\"" + status + "\"");
  } else if (verb == "raw") {
    SendAll(fd, rest);
    std::exit(0);
  } else {
    Post(fd, at + "/response", "\"" + Obey(verb, rest) + "\"");
  }
}

}  // namespace

int main() {
  const int fd = Connect();
  if (fd < 0) return 3;
  const char* init = std::getenv("FAKE_INIT");
  const std::string how = init == nullptr ? "" : init;
  if (how == "exit") return 7;
  if (how == "error") {
    Post(fd, "init/error", R"({"errorType":"Told","errorMessage":"no start"})");
    return 1;
  }
  while (true) ServeOne(fd);
}
