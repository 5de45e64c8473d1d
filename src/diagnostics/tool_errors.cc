#include "diagnostics/tool_errors.h"

#include <algorithm>
#include <array>

#include "base/text/characters.h"

namespace llama::diagnostics {
namespace {

constexpr size_t kExcerptLines = 8;
constexpr size_t kMaxPlace = 300;

std::string_view Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// "a.c:11:5" to "a.c:11": the column says nothing to who reads one line. "a.o:a.c:(.text+0x9)", as
// linkers have it, to its last file.
std::string_view WithoutColumn(std::string_view place) {
  if (const size_t section = place.find(":("); section != place.npos) {
    place = place.substr(0, section);
  }
  const size_t last = place.find_last_not_of("0123456789");
  if (last == place.npos || place[last] != ':' || last + 1 == place.size()) return place;
  const size_t before = place.substr(0, last).find_last_not_of("0123456789");
  const bool two = before != place.npos && place[before] == ':' && before + 1 < last;
  return two ? place.substr(0, last) : place;
}

bool EndsInLineNumber(std::string_view place) {
  const size_t last = place.find_last_not_of("0123456789");
  return last != place.npos && place[last] == ':' && last + 1 < place.size();
}

// "/usr/bin/ld: ", "x86_64-linux-gnu-ld.bfd: ": how many bytes; 0 if a line does not begin so.
size_t LinkerPrefix(std::string_view line) {
  const size_t colon = line.find(": ");
  if (colon == line.npos) return 0;
  std::string_view name = line.substr(0, colon);
  if (const size_t slash = name.rfind('/'); slash != name.npos) name.remove_prefix(slash + 1);
  for (const std::string_view kind : {".bfd", ".gold", ".lld"}) {
    if (name.ends_with(kind)) name.remove_suffix(kind.size());
  }
  const bool is_linker = name == "ld" || name.ends_with("-ld");
  return is_linker ? colon + 2 : 0;
}

ToolError Made(std::string_view place, std::string_view message) {
  return {std::string(place.substr(0, kMaxPlace)), std::string(Trimmed(message))};
}

// "PLACE: error: MESSAGE" and the like.
std::optional<ToolError> ParseMarked(std::string_view line) {
  for (size_t colon = line.find(": "); colon != line.npos; colon = line.find(": ", colon + 1)) {
    for (const std::string_view mark : {"fatal error", "error", "Error", "fatal"}) {
      if (!line.substr(0, colon).ends_with(mark)) continue;
      const size_t at = colon - mark.size();
      const std::string_view message = line.substr(colon + 2);
      if (at == 0) return mark == "error" ? std::optional(Made("", message)) : std::nullopt;
      if (!line.substr(0, at).ends_with(": ")) continue;
      const std::string_view place = line.substr(0, at - 2);
      // In prose there are blanks before it, in a place only where a line's number follows.
      const bool is_place = EndsInLineNumber(place);
      if (!is_place && (mark == "Error" || place.find(' ') != place.npos)) continue;
      return Made(WithoutColumn(place), message);
    }
  }
  return std::nullopt;
}

// What GNU's linkers say without a mark.
std::optional<ToolError> ParseUnmarkedLinker(std::string_view line) {
  const size_t prefix = LinkerPrefix(line);
  const std::string_view rest = line.substr(prefix);
  for (const std::string_view what :
       {": undefined reference to ", ": multiple definition of ", ": undefined symbol"}) {
    const size_t at = rest.find(what);
    if (at == rest.npos) continue;
    return Made(WithoutColumn(rest.substr(0, at)), rest.substr(at + 2));
  }
  if (prefix == 0 || rest.ends_with(':')) return std::nullopt;
  for (const std::string_view harmless : {"warning: ", "NOTE: ", "DWARF error: "}) {
    if (rest.find(harmless) != rest.npos) return std::nullopt;
  }
  return Made(line.substr(0, prefix - 2), rest);
}

// "CMake Error at CMakeLists.txt:3 (message):"; what it says is on the next lines.
std::optional<ToolError> ParseCMake(std::string_view line) {
  constexpr std::string_view kAt = "CMake Error at ";
  if (line.starts_with("CMake Error: ")) return Made("", line.substr(13));
  if (!line.starts_with(kAt)) return std::nullopt;
  const std::string_view rest = line.substr(kAt.size());
  const size_t end = std::min(rest.find(" ("), rest.size());
  return Made(rest.substr(0, end), "CMake Error" + std::string(rest.substr(end)));
}

// Behind "make: ", "make[2]: ", "gmake: "; nothing if a line is not make's.
std::string_view BehindMake(std::string_view line) {
  if (line.starts_with('g')) line.remove_prefix(1);
  if (!line.starts_with("make")) return {};
  line.remove_prefix(4);
  if (line.starts_with('[')) {
    const size_t end = line.find_first_not_of("0123456789", 1);
    if (end == line.npos || line[end] != ']') return {};
    line.remove_prefix(end + 1);
  }
  return line.starts_with(": ") ? line.substr(2) : std::string_view();
}

}  // namespace

std::optional<ToolError> ParseToolError(std::string_view line) {
  if (auto error = ParseCMake(line)) return error;
  if (auto error = ParseMarked(line)) return error;
  return ParseUnmarkedLinker(line);
}

std::optional<std::string> ParseFailedTarget(std::string_view line) {
  constexpr std::string_view kNinja = "FAILED: ";
  if (line.starts_with(kNinja)) {
    line.remove_prefix(kNinja.size());
    if (line.starts_with("[code=")) line.remove_prefix(std::min(line.find(' '), line.size()));
    return std::string(Trimmed(line));
  }
  line = BehindMake(line);
  if (!line.starts_with("*** [")) return std::nullopt;
  line.remove_prefix(5);
  const size_t end = line.rfind(']');
  if (end == line.npos) return std::nullopt;
  line = line.substr(0, end);
  // Behind the recipe's place, which make names since 4.0.
  const size_t colon = line.find(": ");
  return std::string(colon == line.npos ? line : line.substr(colon + 2));
}

std::optional<std::string> ParseMakeError(std::string_view line) {
  line = BehindMake(line);
  constexpr std::string_view kMark = "*** ";
  if (!line.starts_with(kMark) || line.starts_with("*** [")) return std::nullopt;
  line.remove_prefix(kMark.size());
  // What make says of itself then, not why.
  if (line.starts_with("Waiting for unfinished jobs")) return std::nullopt;
  if (line.ends_with("  Stop.")) line.remove_suffix(7);
  if (line.ends_with('.')) line.remove_suffix(1);
  return std::string(line);
}

bool SaysUpToDate(std::string_view line) {
  if (line == "ninja: no work to do.") return true;
  line = BehindMake(line);
  return line.starts_with("Nothing to be done for ") || line.ends_with(" is up to date.");
}

bool IsProgress(std::string_view line) {
  if (line.starts_with('[') || line.starts_with("ninja: ") || SaysUpToDate(line)) return true;
  line = BehindMake(line);
  for (const std::string_view start : {"Entering ", "Leaving ", "*** ", "["}) {
    if (line.starts_with(start)) return true;
  }
  return false;
}

std::string WithoutEscapes(std::string_view line) {
  const bool is_plain = line.find('\x1b') == line.npos && line.find('\r') == line.npos;
  if (is_plain) return std::string(line);
  std::string out;
  out.reserve(line.size());
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '\r') continue;
    if (c != '\x1b') {
      out.push_back(c);
      continue;
    }
    const char kind = i + 1 < line.size() ? line[i + 1] : '\0';
    ++i;
    if (kind == '[') {  // to the letter that ends it
      do ++i;
      while (i < line.size() && (line[i] < '@' || line[i] > '~'));
    } else if (kind == ']') {  // to BEL, or to ESC and '\'
      do ++i;
      while (i < line.size() && line[i] != '\a' && line[i] != '\x1b');
      if (i < line.size() && line[i] == '\x1b') ++i;
    }
  }
  return out;
}

std::string ErrorExcerpt(std::string_view output) {
  std::string first;  // lines from the output's beginning on
  std::string found;  // from its first error on
  size_t lines = 0;
  while (!output.empty() && lines < kExcerptLines && found.size() < kMaxExcerptBytes) {
    const size_t end = std::min(output.find('\n'), output.size());
    const std::string line = WithoutEscapes(output.substr(0, end));
    output.remove_prefix(std::min(end + 1, output.size()));
    if (found.empty() && !ParseToolError(line)) {
      if (first.size() < kMaxExcerptBytes) first.append(line).append("\n");
      continue;
    }
    found.append(line).append("\n");
    ++lines;
  }
  std::string& excerpt = found.empty() ? first : found;
  size_t bytes = 0;
  while (bytes < excerpt.size()) {
    const size_t next = FirstCharacter(std::string_view(excerpt).substr(bytes)).bytes;
    if (bytes + next > kMaxExcerptBytes) break;
    bytes += next;
  }
  excerpt.resize(bytes);
  while (excerpt.ends_with('\n')) excerpt.pop_back();
  return std::move(excerpt);
}

}  // namespace llama::diagnostics
