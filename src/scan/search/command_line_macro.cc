#include "scan/search/command_line_macro.h"

#include <algorithm>

namespace llama::scan {
namespace {

bool IsIdentifier(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '$' || static_cast<unsigned char>(c) >= 0x80;
}

}  // namespace

CommandLineMacro ParseCommandLineMacro(std::string_view text) {
  std::string line(text);
  const size_t equals = line.find('=');
  if (equals == line.npos) {
    line += " 1";
  } else {
    line[equals] = ' ';
  }
  CommandLineMacro out;
  size_t i = 0;
  while (i < line.size() && IsIdentifier(line[i])) ++i;
  out.name = line.substr(0, i);
  if (i < line.size() && line[i] == '(') {
    const size_t close = std::min(line.find(')', i), line.size());
    out.is_function = true;
    out.parameters = line.substr(i + 1, close - i - 1);
    i = std::min(close + 1, line.size());
  }
  while (i < line.size() && line[i] == ' ') ++i;
  out.body = line.substr(i);
  return out;
}

}  // namespace llama::scan
