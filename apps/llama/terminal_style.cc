#include "llama/terminal_style.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>

#include "llama/look/report_build.h"

namespace llama::app {
namespace {

constexpr size_t kMostColumns = 1000;

// 0: not known.
size_t ColumnsOf(int fd) {
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  const char* const variable = std::getenv("COLUMNS");
  const std::string_view text = variable == nullptr ? "" : variable;
  size_t columns = 0;
  std::from_chars(text.data(), text.data() + text.size(), columns);
  return columns;
}

}  // namespace

TextStyle StyleOf(int fd) {
  TextStyle style;
  style.color = WantsColor(fd);
  const size_t columns = isatty(fd) == 1 ? ColumnsOf(fd) : 0;
  if (columns > 0) style.columns = std::clamp(columns, kLeastColumns, kMostColumns);
  return style;
}

}  // namespace llama::app
