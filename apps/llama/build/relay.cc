#include "llama/build/relay.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "base/file.h"

namespace llama::app {
namespace {

// What full-screen programs send first: the alternate screen.
constexpr std::array<std::string_view, 2> kTakesScreen = {"\x1b[?1049h", "\x1b[?47h"};

// To the beginning of the line below, and back to where the cursor was. Index (ESC D) and up again
// make room at the screen's end, keeping the column; only then is the place saved.
constexpr std::string_view kGoBelow =
    "\x1b"
    "D\x1b[A\x1b"
    "7\x1b[B\r\x1b[K";
constexpr std::string_view kComeBack =
    "\x1b"
    "8";

}  // namespace

Relay::Relay(int terminal, OutputWatch* watch, Fd own_end, Fd command_end)
    : terminal_(terminal),
      watch_(watch),
      own_end_(std::move(own_end)),
      command_end_(std::move(command_end)) {
  FollowSize();
}

Result<Relay> Relay::Open(int terminal, OutputWatch* watch) {
  Fd own_end(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!own_end.valid()) return ErrnoError(errno, "pty");
  std::array<char, 128> name{};
  if (grantpt(own_end.get()) != 0 || unlockpt(own_end.get()) != 0 ||
      ptsname_r(own_end.get(), name.data(), name.size()) != 0) {
    return ErrnoError(errno, "pty");
  }
  ASSIGN_OR_RETURN(Fd command_end, OpenFile(name.data(), O_RDWR | O_NOCTTY));
  termios modes{};
  if (tcgetattr(terminal, &modes) == 0) {
    // The real terminal does what is to be done to output, and nothing is ever typed here.
    modes.c_oflag &= ~static_cast<tcflag_t>(OPOST);
    modes.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(command_end.get(), TCSANOW, &modes);
  }
  if (fcntl(own_end.get(), F_SETFL, O_NONBLOCK) != 0) return ErrnoError(errno, "pty");
  return Relay(terminal, watch, std::move(own_end), std::move(command_end));
}

void Relay::FollowSize() {
  winsize size{};
  if (ioctl(terminal_, TIOCGWINSZ, &size) != 0) return;
  ioctl(own_end_.get(), TIOCSWINSZ, &size);
  if (size.ws_col > 0) columns_ = size.ws_col;
}

void Relay::Write(std::string_view bytes) {
  // A terminal that is gone takes nothing; the command goes on as it would have.
  (void)WriteAll(terminal_, bytes, "terminal").has_value();
}

bool Relay::Pump() {
  if (!own_end_.valid()) return false;
  std::array<char, 65536> buffer;
  const ssize_t n = read(own_end_.get(), buffer.data(), buffer.size());
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (n <= 0) {
    own_end_.Reset();
    return false;
  }
  const std::string_view bytes(buffer.data(), static_cast<size_t>(n));
  if (watch_ != nullptr) watch_->Add(OutputWatch::Stream::kErr, bytes);
  for (const std::string_view sequence : kTakesScreen) {
    if (bytes.find(sequence) != std::string_view::npos) screen_taken_ = true;
  }
  const bool keeps = drawn_ == Drawn::kBelow && StaysInLine(bytes);
  const bool was_below = drawn_ == Drawn::kBelow;
  if (!keeps) Erase();
  Write(bytes);
  Follow(bytes);
  if (was_below && !keeps && overprints_ && !screen_taken_) DrawBelow();
  return true;
}

// Whether nothing below the cursor's line changes.
bool Relay::StaysInLine(std::string_view bytes) const {
  if (bytes.find('\n') != std::string_view::npos || screen_taken_) return false;
  size_t longest = line_bytes_;
  for (const char c : bytes) {
    longest = c == '\r' ? 0 : longest + 1;
    if (longest > columns_) return false;
  }
  return true;
}

void Relay::Follow(std::string_view bytes) {
  at_line_start_ = bytes.back() == '\n';
  const size_t line_end = bytes.rfind('\n');
  if (line_end != std::string_view::npos) {
    overprints_ = false;
    line_bytes_ = 0;
    bytes.remove_prefix(line_end + 1);
  }
  const size_t begun = bytes.rfind('\r');
  if (begun != std::string_view::npos) {
    overprints_ = true;
    line_bytes_ = 0;
    bytes.remove_prefix(begun + 1);
  }
  line_bytes_ += bytes.size();
}

void Relay::Draw(std::string_view line) {
  if (screen_taken_) return;
  if (overprints_) {
    below_ = line;
    return DrawBelow();
  }
  if (!at_line_start_) return;
  // Back at column 0, so that whatever else is written here begins a line.
  Write(std::string("\r\x1b[K").append(line).append("\r"));
  drawn_ = Drawn::kHere;
}

void Relay::DrawBelow() {
  Write(std::string(kGoBelow).append(below_).append(kComeBack));
  drawn_ = Drawn::kBelow;
}

void Relay::Erase() {
  if (drawn_ == Drawn::kHere) Write("\r\x1b[K");
  if (drawn_ == Drawn::kBelow) Write(std::string(kGoBelow).append(kComeBack));
  drawn_ = Drawn::kNothing;
}

}  // namespace llama::app
