#include "scan/text/readings.h"

#include <bitset>
#include <string>

#include "scan/text/characters.h"

namespace llama::scan {
namespace {

// What ??`c` stands for, or 0.
char Trigraph(char c) {
  constexpr std::string_view kFrom = "=/'()!<>-";
  constexpr std::string_view kTo = "#\\^[]|{}~";
  const size_t at = kFrom.find(c);
  return at == kFrom.npos ? '\0' : kTo[at];
}

// The first trigraph at or after `at`; npos if there is none.
size_t FindTrigraph(std::string_view text, size_t at) {
  for (;;) {
    at = text.find('?', at);
    if (at == text.npos || at + 2 >= text.size()) return text.npos;
    if (text[at + 1] == '?' && Trigraph(text[at + 2]) != 0) return at;
    ++at;
  }
}

std::string WithoutTrigraphs(std::string_view text) {
  std::string out;
  size_t done = 0;
  for (size_t at = 0; (at = FindTrigraph(text, done)) != text.npos; done = at + 3) {
    out.append(text.substr(done, at - done));
    out += Trigraph(text[at + 2]);
  }
  return out.append(text.substr(done));
}

size_t FindCarriageReturn(std::string_view text, size_t at) {
  for (;;) {
    at = text.find('\r', at);
    if (at == text.npos || at + 1 == text.size() || text[at + 1] != '\n') return at;
    ++at;
  }
}

std::string WithoutCarriageReturns(std::string_view text) {
  std::string out(text);
  for (size_t at = 0; (at = FindCarriageReturn(out, at)) != out.npos; ++at) {
    // clang has \n\r after a backslash for one end of a line.
    const bool is_second = at > 1 && out[at - 1] == '\n' && out[at - 2] == '\\';
    out[at] = is_second ? ' ' : '\n';
  }
  return out;
}

// The first backslash-newline between two characters that are no blanks; npos if there is none.
size_t FindTightSplice(std::string_view text) {
  for (size_t at = text.find('\\', 1); at != text.npos; at = text.find('\\', at + 1)) {
    if (IsSpace(text[at - 1])) continue;
    const size_t next = EndOfSplice(text, at);
    if (next != 0 && next < text.size() && !IsSpace(text[next])) return at;
  }
  return text.npos;
}

std::string Joined(std::string_view text) {
  std::string out;
  size_t done = 0;
  for (size_t at = text.find('\\'); at != text.npos; at = text.find('\\', at)) {
    const size_t next = EndOfSplice(text, at);
    if (next == 0) {
      ++at;
      continue;
    }
    out.append(text.substr(done, at - done));
    done = at = next;
  }
  return out.append(text.substr(done));
}

}  // namespace

size_t EndOfSplice(std::string_view text, size_t at) {
  for (++at; at < text.size() && IsBlank(text[at]); ++at) {
  }
  return at < text.size() && text[at] == '\n' ? at + 1 : 0;
}

void ForEachReading(std::string_view text,
                    const std::function<unsigned(std::string_view, unsigned)>& read) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  unsigned doubts = 0;
  if (FindTrigraph(text, 0) != text.npos) doubts |= kTrigraphs;
  if (FindCarriageReturn(text, 0) != text.npos) doubts |= kCarriageReturns;
  std::bitset<kReadings> done;
  for (unsigned reading = 0; reading < kReadings; ++reading) {
    if ((reading & ~doubts) != 0 || done[reading]) continue;
    std::string altered;
    std::string_view seen = text;
    if ((reading & kTrigraphs) != 0) seen = altered = WithoutTrigraphs(seen);
    if ((reading & kCarriageReturns) != 0) seen = altered = WithoutCarriageReturns(seen);
    const bool is_tight = FindTightSplice(seen) != seen.npos;
    if (is_tight) doubts |= kJoined;
    if ((reading & kJoined) != 0 && is_tight) seen = altered = Joined(seen);
    // Raw strings alone keep their lines as they are.
    const bool is_wanted =
        is_tight == ((reading & kJoined) != 0) || (is_tight && (doubts & kNoRawStrings) != 0);
    if (!is_wanted) continue;
    done.set(reading);
    const unsigned more = read(seen, reading);
    if ((more & ~doubts) != 0) reading = ~0u;  // from the first again
    doubts |= more;
  }
}

}  // namespace llama::scan
