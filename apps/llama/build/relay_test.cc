#include "llama/build/relay.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

namespace llama::app {
namespace {

constexpr size_t kColumns = 20;
constexpr size_t kRows = 4;

// As much of a VT100 as the relay and ninja use.
class Screen {
 public:
  void Show(std::string_view bytes) {
    for (size_t i = 0; i < bytes.size(); ++i) {
      const char c = bytes[i];
      if (c == '\r') {
        column_ = 0;
      } else if (c == '\n') {
        column_ = 0;  // as a terminal that adds the carriage's return does
        Index();
      } else if (c == '\x1b') {
        i += Escape(bytes.substr(i + 1));
      } else {
        if (column_ == kColumns) {
          column_ = 0;
          Index();
        }
        lines_[row_].resize(std::max(lines_[row_].size(), column_ + 1), ' ');
        lines_[row_][column_++] = c;
      }
    }
  }
  std::string Text() const {
    std::string text;
    for (std::string line : lines_) {
      line.erase(line.find_last_not_of(' ') + 1);
      text += line + "|";
    }
    return text;
  }

 private:
  void Index() {
    if (row_ + 1 < kRows) {
      ++row_;
      return;
    }
    lines_.erase(lines_.begin());
    lines_.emplace_back();
  }
  // Gives how many bytes it has.
  size_t Escape(std::string_view rest) {
    if (rest[0] == 'D') Index();
    if (rest[0] == '7') saved_ = {row_, column_};
    if (rest[0] == '8') std::tie(row_, column_) = saved_;
    if (rest[0] != '[') return 1;
    if (rest[1] == 'A' && row_ > 0) --row_;
    if (rest[1] == 'B' && row_ + 1 < kRows) ++row_;
    if (rest[1] == 'K') lines_[row_].resize(std::min(lines_[row_].size(), column_));
    return 2;
  }

  std::vector<std::string> lines_ = std::vector<std::string>(kRows);
  size_t row_ = 0;
  size_t column_ = 0;
  std::pair<size_t, size_t> saved_;
};

class RelayScreenTest : public testing::Test {
 protected:
  void SetUp() override {
    master_ = Fd(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
    ASSERT_TRUE(master_.valid() && grantpt(master_.get()) == 0 && unlockpt(master_.get()) == 0);
    std::array<char, 128> name{};
    ASSERT_EQ(ptsname_r(master_.get(), name.data(), name.size()), 0);
    terminal_ = Fd(open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC));
    ASSERT_TRUE(terminal_.valid());
    const winsize size{kRows, kColumns, 0, 0};
    ASSERT_EQ(ioctl(terminal_.get(), TIOCSWINSZ, &size), 0);
    auto relay = Relay::Open(terminal_.get());
    ASSERT_TRUE(relay) << relay.error().message;
    relay_.emplace(std::move(*relay));
  }
  // What the command writes.
  void Say(std::string_view bytes) {
    ASSERT_EQ(write(relay_->command_end(), bytes.data(), bytes.size()),
              static_cast<ssize_t>(bytes.size()));
    pollfd ready{relay_->fd(), POLLIN, 0};
    ASSERT_EQ(poll(&ready, 1, 10'000), 1);
    ASSERT_TRUE(relay_->Pump());
  }
  std::string Shown() {
    std::array<char, 65536> buffer;
    pollfd ready{master_.get(), POLLIN, 0};
    while (poll(&ready, 1, 0) > 0) {
      const ssize_t n = read(master_.get(), buffer.data(), buffer.size());
      if (n <= 0) break;
      written_ = std::string(buffer.data(), static_cast<size_t>(n));
      screen_.Show(written_);
    }
    return screen_.Text();
  }

  Fd master_;
  Fd terminal_;
  std::optional<Relay> relay_;
  Screen screen_;
  std::string written_;  // last
};

TEST_F(RelayScreenTest, TheStatusIsBelowWholeLines) {
  Say("cc a.c\n");
  relay_->Draw("status 1");
  EXPECT_EQ(Shown(), "cc a.c|status 1|||");
  Say("cc b.c\n");
  relay_->Draw("status 2");
  EXPECT_EQ(Shown(), "cc a.c|cc b.c|status 2||");
  Say("checking for ...");
  relay_->Draw("status 3");
  EXPECT_EQ(Shown(), "cc a.c|cc b.c|checking for ...||") << "inside a line there is none";
  Say(" yes\n");
  relay_->Erase();
  EXPECT_EQ(Shown(), "cc a.c|cc b.c|checking for ... yes||");
}

TEST_F(RelayScreenTest, ALineThatIsOverprintedKeepsTheStatusBelow) {
  Say("\r[1/9] a.o\x1b[K");
  relay_->Draw("status 1");
  EXPECT_EQ(Shown(), "[1/9] a.o|status 1|||");
  Say("\r[2/9] long_name.o\x1b[K");
  Say("\r[3/9] b.o\x1b[K");
  EXPECT_EQ(Shown(), "[3/9] b.o|status 1|||");
  EXPECT_EQ(written_.find("status"), std::string::npos) << "it need not be drawn again";
  relay_->Draw("status 2");
  EXPECT_EQ(Shown(), "[3/9] b.o|status 2|||");
  relay_->Erase();
  EXPECT_EQ(Shown(), "[3/9] b.o||||");
}

TEST_F(RelayScreenTest, OutputBetweenPushesBothDown) {
  Say("\r[1/9] a.o\x1b[K");
  relay_->Draw("status");
  Say("\na.c:1: warning\n\r[2/9] b.o\x1b[K");
  EXPECT_EQ(Shown(), "[1/9] a.o|a.c:1: warning|[2/9] b.o|status|");
  Say("\nb.c:1: error\nb.c:2: error\n\r[3/9] c.o\x1b[K");
  EXPECT_EQ(Shown(), "b.c:1: error|b.c:2: error|[3/9] c.o|status|");
  Say("\n");
  relay_->Draw("status");
  Say("done\n");
  relay_->Erase();
  EXPECT_EQ(Shown(), "b.c:2: error|[3/9] c.o|done||");
}

TEST_F(RelayScreenTest, AtTheScreensEndThereIsRoomMade) {
  Say("1\n2\n3\n\r[1/9] a.o\x1b[K");
  relay_->Draw("status");
  EXPECT_EQ(Shown(), "2|3|[1/9] a.o|status|");
  Say(" ok");  // the column was kept
  EXPECT_EQ(Shown(), "2|3|[1/9] a.o ok|status|");
}

TEST_F(RelayScreenTest, ALineOfMoreThanTheScreensWidthIsNotTrusted) {
  Say("\r[1/9] a.o\x1b[K");
  relay_->Draw("status");
  Say("\rtwenty_and_more_characters");
  EXPECT_EQ(Shown(), "twenty_and_more_char|acters|status||");
  relay_->Erase();
  EXPECT_EQ(Shown(), "twenty_and_more_char|acters|||");
}

TEST_F(RelayScreenTest, TheCommandsBytesAreNotChanged) {
  Say("a\tb\x1b[1mc\nd\x07");
  Shown();
  EXPECT_EQ(written_, "a\tb\x1b[1mc\r\nd\x07") << "the real terminal adds the \\r";
}

}  // namespace
}  // namespace llama::app
