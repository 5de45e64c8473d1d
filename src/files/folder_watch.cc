#include "files/folder_watch.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace llama::files {
namespace {

constexpr uint32_t kNamesMask = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO;
constexpr uint32_t kContentMask = IN_MODIFY | IN_ATTRIB;
constexpr uint32_t kFolderMask = IN_DELETE_SELF | IN_MOVE_SELF;
constexpr uint32_t kMask = kNamesMask | kContentMask | IN_CLOSE_WRITE | kFolderMask | IN_ONLYDIR |
                           IN_DONT_FOLLOW | IN_EXCL_UNLINK | IN_MASK_CREATE;

// One event says one thing. Else it is IN_IGNORED, after all was said.
bool Understand(const inotify_event& event, std::string_view name, Change& change) {
  const auto says = [&](uint32_t mask) { return (event.mask & mask) != 0; };
  const bool is_named = !name.empty();
  change.watch = event.wd;
  change.name = name;
  if (says(IN_Q_OVERFLOW)) {
    change.kind = ChangeKind::kOverflow;
  } else if (says(kFolderMask | IN_UNMOUNT)) {
    change.kind = ChangeKind::kFolder;
  } else if (is_named && says(kNamesMask)) {
    change.kind = ChangeKind::kNames;
  } else if (is_named && says(IN_CLOSE_WRITE)) {
    change.kind = ChangeKind::kClosed;
  } else if (is_named && says(kContentMask)) {
    change.kind = ChangeKind::kContent;
  } else if (!is_named && says(IN_ATTRIB)) {
    change.kind = ChangeKind::kRights;
  } else {
    return false;
  }
  return true;
}

}  // namespace

std::unique_ptr<FolderWatch> FolderWatch::Open() {
  Fd inotify(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!inotify.valid()) return nullptr;
  Fd mounts(open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC));
  return std::unique_ptr<FolderWatch>(new FolderWatch(std::move(inotify), std::move(mounts)));
}

Result<int> FolderWatch::Add(const std::string& folder) {
  const int watch = inotify_add_watch(inotify_.get(), folder.c_str(), kMask);
  if (watch >= 0) return watch;
  if (errno == EEXIST) return Error{Code::kInvalid, folder + ": watched already"};
  if (errno == ENOSPC || errno == ENOMEM) return Error{Code::kUnavailable, "no more watches"};
  return ErrnoError(errno, folder);
}

void FolderWatch::Remove(int watch) { inotify_rm_watch(inotify_.get(), watch); }

// The kernel says so by an error condition on the list of mounts, once for each reader.
bool FolderWatch::MountsChanged() const {
  if (!mounts_.valid()) return false;
  pollfd entry{mounts_.get(), POLLPRI, 0};
  return poll(&entry, 1, 0) > 0 && (entry.revents & (POLLPRI | POLLERR)) != 0;
}

void FolderWatch::Drain(const std::function<void(const Change&)>& take) {
  if (MountsChanged()) take({ChangeKind::kOverflow, -1, {}});
  alignas(inotify_event) std::array<char, 64 << 10> buffer;
  while (true) {
    const ssize_t n = read(inotify_.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    const char* at = buffer.data();
    const char* const end = at + n;
    while (at < end) {
      const auto& event = *reinterpret_cast<const inotify_event*>(at);
      const std::string_view name(event.len > 0 ? at + sizeof event : "");
      Change change;
      if (Understand(event, name, change)) take(change);
      at += sizeof event + event.len;
    }
    // A short read took all that there was.
    if (static_cast<size_t>(n) < buffer.size() / 2) return;
  }
}

}  // namespace llama::files
