#include "sql/error.h"

#include <algorithm>
#include <string>

#include "base/text/closest.h"
#include "base/text/format.h"

namespace llama::sql {
namespace {

constexpr size_t kMaxShown = 100;  // of a line, around the place

// What is unknown in "no such column: s.naem"; empty if it is something else that is wrong.
std::string_view UnknownWord(std::string_view message) {
  const size_t colon = message.find(": ");
  if (!message.starts_with("no such ") || colon == std::string_view::npos) return "";
  const std::string_view word = message.substr(colon + 2);
  return word.substr(word.rfind('.') + 1);  // npos + 1 is 0
}

std::string Hint(std::string_view message, std::span<const std::string_view> known) {
  const std::string_view word = UnknownWord(message);
  if (word.empty()) return "";
  const std::string_view close = Closest(word, known);
  if (!close.empty() && close != word) return "; did you mean " + std::string(close) + "?";
  if (message.starts_with("no such table")) return "; .tables lists what there is";
  if (message.starts_with("no such column")) return "; .schema lists what there is";
  return "";
}

// SQLite gives no place for a table that is not there.
size_t PlaceOf(sqlite3* connection, std::string_view sql, size_t statement) {
  const int offset = sqlite3_error_offset(connection);
  if (offset >= 0) return statement + static_cast<size_t>(offset);
  const std::string_view word = UnknownWord(sqlite3_errmsg(connection));
  return word.empty() ? std::string_view::npos : sql.find(word, statement);
}

// The line with the byte `offset` of `sql`, and a mark below it.
std::string Mark(std::string_view sql, size_t offset) {
  size_t begin = offset == 0 ? 0 : sql.rfind('\n', offset - 1) + 1;  // npos + 1 is 0
  size_t end = std::min(sql.find('\n', offset), sql.size());
  const auto line = std::count(sql.begin(), sql.begin() + static_cast<std::ptrdiff_t>(begin), '\n');
  const size_t column = DisplayWidth(sql.substr(begin, offset - begin));
  if (offset - begin > kMaxShown / 2) begin = offset - kMaxShown / 2;
  end = std::min(end, begin + kMaxShown);
  // Not in the middle of a character.
  while (begin < offset && (static_cast<unsigned char>(sql[begin]) & 0xc0) == 0x80) ++begin;
  while (end < sql.size() && (static_cast<unsigned char>(sql[end]) & 0xc0) == 0x80) ++end;
  const size_t before = DisplayWidth(Printable(sql.substr(begin, offset - begin)));
  return " (line " + std::to_string(line + 1) + ", column " + std::to_string(column + 1) + ")\n  " +
         Printable(sql.substr(begin, end - begin)) + "\n  " + std::string(before, ' ') + "^";
}

}  // namespace

Error SqlError(sqlite3* connection, int rc, std::string_view sql, size_t statement,
               std::span<const std::string_view> known) {
  if ((rc & 0xff) == SQLITE_INTERRUPT) return Error{Code::kCancelled, "interrupted"};
  if ((rc & 0xff) == SQLITE_AUTH) {
    return Error{Code::kInvalid,
                 "only queries can be run here: SELECT, VALUES, WITH, EXPLAIN. Traces are read, "
                 "never changed"};
  }
  std::string message = Printable(sqlite3_errmsg(connection));
  message += Hint(message, known);
  const size_t place = PlaceOf(connection, sql, statement);
  if (place <= sql.size()) message += Mark(sql, place);
  return Error{rc == SQLITE_NOMEM ? Code::kUnavailable : Code::kInvalid, std::move(message)};
}

}  // namespace llama::sql
