#include "traces/load/json_reader.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace llama::traces {
namespace {

constexpr std::array<signed char, 256> MakeHexDigits() {
  std::array<signed char, 256> digits{};
  for (auto& digit : digits) digit = -1;
  for (int i = 0; i < 10; ++i) digits[static_cast<size_t>('0' + i)] = static_cast<signed char>(i);
  for (int i = 0; i < 6; ++i) {
    digits[static_cast<size_t>('a' + i)] = static_cast<signed char>(10 + i);
    digits[static_cast<size_t>('A' + i)] = static_cast<signed char>(10 + i);
  }
  return digits;
}
constexpr std::array<signed char, 256> kHexDigits = MakeHexDigits();

constexpr int64_t kNsPerSecond = 1'000'000'000;
constexpr size_t kFullTime = 30;  // "2026-11-22T08:20:50.123456789Z"

int HexDigit(char c) { return kHexDigits[static_cast<unsigned char>(c)]; }

bool ReadHex4(const char*& p, const char* end, uint32_t& value) {
  if (end - p < 4) return false;
  value = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = HexDigit(*p++);
    if (digit < 0) return false;
    value = value << 4 | static_cast<uint32_t>(digit);
  }
  return true;
}

void AppendUtf8(std::string& out, uint32_t code) {
  const auto put = [&](uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | code >> 6);
    put(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    put(0xe0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  } else {
    put(0xf0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3f));
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  }
}

// What follows "\u". Half of a surrogate pair is U+FFFD, as most readers have it.
bool UnescapeUnicode(const char*& p, const char* end, std::string& out) {
  uint32_t code = 0;
  if (!ReadHex4(p, end, code)) return false;
  if (code >= 0xd800 && code < 0xdc00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u') {
    const char* low_begin = p + 2;
    uint32_t low = 0;
    if (ReadHex4(low_begin, end, low) && low >= 0xdc00 && low < 0xe000) {
      p = low_begin;
      AppendUtf8(out, 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00));
      return true;
    }
  }
  AppendUtf8(out, code >= 0xd800 && code < 0xe000 ? 0xfffd : code);
  return true;
}

bool Unescape(const char*& p, const char* end, std::string& out) {
  if (p == end) return false;
  switch (*p++) {
    case '"':
    case '\\':
    case '/':
      out.push_back(p[-1]);
      return true;
    case 'b':
      out.push_back('\b');
      return true;
    case 'f':
      out.push_back('\f');
      return true;
    case 'n':
      out.push_back('\n');
      return true;
    case 'r':
      out.push_back('\r');
      return true;
    case 't':
      out.push_back('\t');
      return true;
    case 'u':
      return UnescapeUnicode(p, end, out);
    default:
      return false;
  }
}

const char* Find(const char* begin, const char* end, char c) {
  return static_cast<const char*>(std::memchr(begin, c, static_cast<size_t>(end - begin)));
}

}  // namespace

std::optional<std::string_view> ReadJsonString(const char* begin, const char* end,
                                               std::string& scratch) {
  const char* quote = Find(begin, end, '"');
  if (quote == nullptr) return std::nullopt;
  const char* escape = Find(begin, quote, '\\');
  if (escape == nullptr) return std::string_view(begin, static_cast<size_t>(quote - begin));
  scratch.clear();
  const char* p = begin;
  while (escape != nullptr) {
    scratch.append(p, escape);
    p = escape + 1;
    if (!Unescape(p, end, scratch)) return std::nullopt;
    if (quote < p) quote = Find(p, end, '"');  // it was escaped
    if (quote == nullptr) return std::nullopt;
    escape = Find(p, quote, '\\');
  }
  scratch.append(p, quote);
  return scratch;
}

bool IsJsonNumber(std::string_view text) {
  const auto take = [&](std::string_view any) {
    if (text.empty() || any.find(text.front()) == std::string_view::npos) return false;
    text.remove_prefix(1);
    return true;
  };
  const auto take_digits = [&] {
    const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(digits);
    return digits > 0;
  };
  take("-");
  if (!take("0") && !take_digits()) return false;
  if (take(".") && !take_digits()) return false;
  if (take("eE")) {
    take("+-");
    if (!take_digits()) return false;
  }
  return text.empty();
}

std::string_view TrimJson(std::string_view text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) {
    text.remove_suffix(1);
  }
  return text;
}

bool ReadHex64(std::string_view text, uint64_t& value) {
  if (text.size() != 16) return false;
  value = 0;
  int bad = 0;
  for (const char c : text) {
    const int digit = HexDigit(c);
    bad |= digit;
    value = value << 4 | static_cast<uint64_t>(digit & 15);
  }
  return bad >= 0;
}

bool ReadTraceId(std::string_view text, trace::TraceId& id) {
  if (text.size() == 16) {
    id.high = 0;
    return ReadHex64(text, id.low) && id.valid();
  }
  return text.size() == 32 && ReadHex64(text.substr(0, 16), id.high) &&
         ReadHex64(text.substr(16), id.low) && id.valid();
}

bool ReadUsualHead(std::string_view line, UsualHead& head) {
  const char* p = line.data();
  const char* const end = p + line.size();
  const auto take = [&](std::string_view text) {
    if (static_cast<size_t>(end - p) < text.size() ||
        std::memcmp(p, text.data(), text.size()) != 0) {
      return false;
    }
    p += text.size();
    return true;
  };
  const auto take_plain = [&](std::string_view& text) {
    const char* const begin = p;
    while (p != end && *p >= 0x20 && *p < 0x7f && *p != '"' && *p != '\\') ++p;
    text = {begin, static_cast<size_t>(p - begin)};
    return true;
  };
  const auto take_quoted = [&](std::string_view& text, size_t size) {
    if (static_cast<size_t>(end - p) <= size || p[size] != '"') return false;
    text = {p, size};
    p += size;
    return true;
  };
  const auto take_count = [&](int64_t& value) {
    const char* const begin = p;
    for (; p != end && *p >= '0' && *p <= '9' && p - begin < 18; ++p)
      value = value * 10 + (*p - '0');
    return p != begin && (*begin != '0' || p - begin == 1);
  };
  if (!take(R"({"trace_id":")")) return false;
  if (!take_quoted(head.trace_id, 32) && !take_quoted(head.trace_id, 16)) return false;
  if (!take(R"(","span_id":")") || !take_quoted(head.span_id, 16)) return false;
  if (!take(R"(","parent_id":")")) return false;
  if (!take_quoted(head.parent_id, 16) && !take_quoted(head.parent_id, 0)) return false;
  if (!take(R"(","name":")") || !take_plain(head.name)) return false;
  if (!take(R"(","start":")")) return false;
  if (!take_quoted(head.start, kFullTime) && !take_plain(head.start)) return false;
  if (!take(R"(","duration":)") || !take_count(head.duration_ns)) return false;
  if (!take(R"(,"fields":)") || p == end || *p != '{' || line.back() != '}') return false;
  head.fields = {p, static_cast<size_t>(end - p - 1)};
  return true;
}

bool TimeReader::Read(std::string_view text, int64_t& time_ns) {
  constexpr size_t kMinute = sizeof minute_;
  constexpr size_t kFull = kMinute + 13;  // "50.123456789Z"
  const bool usual = text.size() == kFull && text.back() == 'Z' && text[kMinute + 2] == '.';
  if (usual && std::memcmp(text.data(), minute_, kMinute) == 0) {
    unsigned bad = 0;
    const auto digit = [&](size_t i) {
      const unsigned value = static_cast<unsigned char>(text[i]) - unsigned{'0'};
      bad |= static_cast<unsigned>(value > 9);
      return value;
    };
    int64_t ns = digit(kMinute) * 10 + digit(kMinute + 1);
    for (size_t i = kMinute + 3; i < kFull - 1; ++i) ns = ns * 10 + digit(i);
    // A leap second, or a wrong one, goes the slow way.
    if (bad == 0 && ns < 60 * kNsPerSecond) {
      return !__builtin_add_overflow(minute_ns_, ns, &time_ns);
    }
  }
  const auto parsed = trace::ParseTime(text);
  if (!parsed) return false;
  time_ns = *parsed;
  if (usual && time_ns >= 0) {
    std::memcpy(minute_, text.data(), kMinute);
    minute_ns_ = time_ns - time_ns % (60 * kNsPerSecond);
    if (text.substr(kMinute, 2) == "60") minute_[0] = 0;  // it counts as the next minute's
  }
  return true;
}

}  // namespace llama::traces
