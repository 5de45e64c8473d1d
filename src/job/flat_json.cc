#include "job/flat_json.h"

#include <charconv>
#include <cstring>

#include "base/text/hex.h"

namespace llama::job {
namespace {

constexpr int kMaxDepth = 64;
constexpr size_t kMaxMembers = 256;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Walks over values without keeping them. The first violation leaves ok() false for good.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool ok() const { return ok_; }
  size_t at() const { return at_; }
  bool AtEnd() const { return at_ == text_.size(); }
  char Peek() const { return AtEnd() ? '\0' : text_[at_]; }

  void Blanks() {
    while (!AtEnd() && (Peek() == ' ' || Peek() == '\t' || Peek() == '\n' || Peek() == '\r')) ++at_;
  }

  bool Take(char c) {
    if (AtEnd() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  void Expect(char c) {
    if (!Take(c)) ok_ = false;
  }

  // The text of the string that starts here, quotes included.
  std::string_view String() {
    const size_t start = at_;
    Expect('"');
    while (ok_) {
      const void* found = std::memchr(text_.data() + at_, '"', text_.size() - at_);
      if (found == nullptr) {
        ok_ = false;
        break;
      }
      const size_t end = static_cast<size_t>(static_cast<const char*>(found) - text_.data());
      const size_t escape = text_.substr(at_, end - at_).find('\\');
      if (escape != std::string_view::npos) {
        CheckPlain(text_.substr(at_, escape));
        at_ += escape;
        Escape();
        continue;
      }
      CheckPlain(text_.substr(at_, end - at_));
      at_ = end + 1;
      break;
    }
    return text_.substr(start, at_ - start);
  }

  std::string_view Value(int depth) {
    const size_t start = at_;
    switch (Peek()) {
      case '"':
        String();
        break;
      case '{':
      case '[':
        Nested(depth);
        break;
      case 't':
        Word("true");
        break;
      case 'f':
        Word("false");
        break;
      case 'n':
        Word("null");
        break;
      default:
        Number();
    }
    return text_.substr(start, at_ - start);
  }

 private:
  // No control characters. Eight bytes at a time: megabytes of base64 pass through here.
  void CheckPlain(std::string_view bytes) {
    constexpr uint64_t kOnes = 0x0101010101010101;
    uint64_t below_blank = 0;
    for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
      uint64_t eight = 0;
      std::memcpy(&eight, bytes.data(), 8);
      below_blank |= (eight - kOnes * 0x20) & ~eight & (kOnes * 0x80);
    }
    for (const char c : bytes) below_blank |= static_cast<unsigned char>(c) < 0x20 ? 1 : 0;
    if (below_blank != 0) ok_ = false;
  }

  void Escape() {
    Expect('\\');
    const char kind = Peek();
    at_ += AtEnd() ? 0 : 1;
    if (kind != 'u') {
      if (kind == '\0' || std::strchr("\"\\/bfnrt", kind) == nullptr) ok_ = false;
      return;
    }
    for (int i = 0; i < 4; ++i) {
      if (HexValue(Peek()) < 0) ok_ = false;
      at_ += AtEnd() ? 0 : 1;
    }
  }

  void Word(std::string_view word) {
    for (const char c : word) Expect(c);
  }

  void Digits() {
    if (!IsDigit(Peek())) ok_ = false;
    while (IsDigit(Peek())) ++at_;
  }

  void Number() {
    Take('-');
    if (!Take('0')) Digits();
    if (Take('.')) Digits();
    if (Take('e') || Take('E')) {
      if (!Take('+')) Take('-');
      Digits();
    }
  }

  void Nested(int depth) {
    if (depth >= kMaxDepth) ok_ = false;
    const bool is_object = Take('{');
    if (!is_object) Expect('[');
    const char close = is_object ? '}' : ']';
    Blanks();
    if (Take(close)) return;
    while (ok_) {
      if (is_object) {
        String();
        Blanks();
        Expect(':');
        Blanks();
      }
      Value(depth + 1);
      Blanks();
      if (Take(close)) return;
      Expect(',');
      Blanks();
    }
  }

  const std::string_view text_;
  size_t at_ = 0;
  bool ok_ = true;
};

void AppendUtf8(std::string& out, uint32_t code) {
  const auto push = [&](uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    push(code);
  } else if (code < 0x800) {
    push(0xC0 | code >> 6);
    push(0x80 | (code & 63));
  } else if (code < 0x10000) {
    push(0xE0 | code >> 12);
    push(0x80 | (code >> 6 & 63));
    push(0x80 | (code & 63));
  } else {
    push(0xF0 | code >> 18);
    push(0x80 | (code >> 12 & 63));
    push(0x80 | (code >> 6 & 63));
    push(0x80 | (code & 63));
  }
}

// The code unit of "uXXXX", or nothing.
std::optional<uint32_t> CodeUnit(std::string_view text) {
  if (text.size() < 5 || text[0] != 'u') return std::nullopt;
  uint32_t unit = 0;
  for (size_t i = 1; i < 5; ++i) unit = unit * 16 + static_cast<uint32_t>(HexValue(text[i]));
  return unit;
}

// `body` has passed the Scanner. A lone surrogate becomes U+FFFD.
std::string Unescape(std::string_view body) {
  std::string out;
  out.reserve(body.size());
  while (true) {
    const size_t escape = body.find('\\');
    out += body.substr(0, escape);
    if (escape == std::string_view::npos) return out;
    body.remove_prefix(escape + 1);
    std::optional<uint32_t> unit = CodeUnit(body);
    if (!unit) {
      static constexpr std::string_view kFrom = "bfnrt", kTo = "\b\f\n\r\t";
      const size_t at = kFrom.find(body[0]);
      out.push_back(at == std::string_view::npos ? body[0] : kTo[at]);
      body.remove_prefix(1);
      continue;
    }
    body.remove_prefix(5);
    if (*unit >= 0xD800 && *unit < 0xE000) {
      const std::optional<uint32_t> low =
          body.starts_with('\\') ? CodeUnit(body.substr(1)) : std::nullopt;
      const bool paired = *unit < 0xDC00 && low && *low >= 0xDC00 && *low < 0xE000;
      unit = paired ? 0x10000 + ((*unit - 0xD800) << 10) + (*low - 0xDC00) : 0xFFFD;
      if (paired) body.remove_prefix(6);
    }
    AppendUtf8(out, *unit);
  }
}

}  // namespace

Result<FlatJson> FlatJson::Parse(std::string_view text) {
  const Error bad{Code::kInvalid, "not a JSON object"};
  FlatJson object;
  Scanner scan(text);
  scan.Blanks();
  scan.Expect('{');
  scan.Blanks();
  bool more = scan.ok() && !scan.Take('}');
  while (more) {
    const std::string_view name = scan.String();
    scan.Blanks();
    scan.Expect(':');
    scan.Blanks();
    const std::string_view value = scan.ok() ? scan.Value(1) : std::string_view();
    if (!scan.ok() || object.members_.size() == kMaxMembers) return bad;
    std::string key = Unescape(name.substr(1, name.size() - 2));
    if (object.Has(key)) return bad;
    object.members_.push_back({std::move(key), value});
    scan.Blanks();
    more = !scan.Take('}');
    if (more) scan.Expect(',');
    scan.Blanks();
  }
  scan.Blanks();
  if (!scan.ok() || !scan.AtEnd()) return bad;
  return object;
}

const std::string_view* FlatJson::Find(std::string_view name) const {
  for (const Member& member : members_) {
    if (member.name == name) return &member.value;
  }
  return nullptr;
}

std::optional<std::string_view> FlatJson::PlainString(std::string_view name) const {
  const std::string_view* value = Find(name);
  if (value == nullptr || !value->starts_with('"')) return std::nullopt;
  const std::string_view body = value->substr(1, value->size() - 2);
  if (std::memchr(body.data(), '\\', body.size()) != nullptr) return std::nullopt;
  return body;
}

std::optional<std::string> FlatJson::String(std::string_view name) const {
  const std::string_view* value = Find(name);
  if (value == nullptr || !value->starts_with('"')) return std::nullopt;
  return Unescape(value->substr(1, value->size() - 2));
}

std::optional<int64_t> FlatJson::Int(std::string_view name) const {
  const std::string_view* value = Find(name);
  if (value == nullptr) return std::nullopt;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), number);
  if (error != std::errc() || end != value->data() + value->size()) return std::nullopt;
  return number;
}

std::optional<bool> FlatJson::Bool(std::string_view name) const {
  const std::string_view* value = Find(name);
  if (value == nullptr || (*value != "true" && *value != "false")) return std::nullopt;
  return *value == "true";
}

}  // namespace llama::job
