// The text form of a span: one line of the trace file.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/json.h"
#include "trace/span.h"

namespace llama::trace {
namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;
constexpr int64_t kSecondsPerDay = 86'400;

struct Date {
  int64_t year = 0;
  int64_t month = 0;
  int64_t day = 0;
};

// The proleptic Gregorian date of a day since 1970-01-01, by 400-year eras that begin in March
// (https://howardhinnant.github.io/date_algorithms.html#civil_from_days). gmtime_r would take the
// time zone's lock for every span.
Date DateOfDay(int64_t days) {
  days += 719'468;
  const int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const int64_t day_of_era = days - era * 146'097;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month_from_march = (5 * day_of_year + 2) / 153;
  Date date;
  date.day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
  date.month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  date.year = year_of_era + era * 400 + (date.month <= 2 ? 1 : 0);
  return date;
}

void AppendPadded(std::string& out, int64_t value, size_t width) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, value);
  const auto length = static_cast<size_t>(end.ptr - digits);
  if (length < width) out.append(width - length, '0');
  out.append(digits, length);
}

void AppendInt(std::string& out, int64_t value) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value);
  out.append(digits, end.ptr);
}

void AppendValue(std::string& out, const Value& value) {
  if (const auto* i = std::get_if<int64_t>(&value)) AppendInt(out, *i);
  if (const auto* b = std::get_if<bool>(&value)) out.append(*b ? "true" : "false");
  if (const auto* s = std::get_if<std::string>(&value)) AppendJsonString(out, *s);
  if (const auto* d = std::get_if<double>(&value)) {
    if (!std::isfinite(*d)) {
      out.append("null");
      return;
    }
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, *d);
    out.append(digits, end.ptr);
  }
}

}  // namespace

std::string FormatTime(int64_t time_ns) {
  int64_t seconds = time_ns / kNsPerSecond;
  int64_t ns = time_ns % kNsPerSecond;
  if (ns < 0) {
    ns += kNsPerSecond;
    --seconds;
  }
  int64_t days = seconds / kSecondsPerDay;
  int64_t second_of_day = seconds % kSecondsPerDay;
  if (second_of_day < 0) {
    second_of_day += kSecondsPerDay;
    --days;
  }
  const Date date = DateOfDay(days);
  std::string out;
  out.reserve(30);
  AppendPadded(out, date.year, 4);
  out.push_back('-');
  AppendPadded(out, date.month, 2);
  out.push_back('-');
  AppendPadded(out, date.day, 2);
  out.push_back('T');
  AppendPadded(out, second_of_day / 3600, 2);
  out.push_back(':');
  AppendPadded(out, second_of_day / 60 % 60, 2);
  out.push_back(':');
  AppendPadded(out, second_of_day % 60, 2);
  out.push_back('.');
  AppendPadded(out, ns, 9);
  out.push_back('Z');
  return out;
}

void AppendJsonLine(std::string& out, const Span& span) {
  out.append(R"({"trace_id":")").append(Hex(span.trace_id));
  out.append(R"(","span_id":")").append(Hex(span.span_id));
  out.append(R"(","parent_id":")");
  if (span.parent_id != 0) out.append(Hex(span.parent_id));
  out.append(R"(","name":)");
  AppendJsonString(out, span.name);
  out.append(R"(,"start":")").append(FormatTime(span.start_ns));
  out.append(R"(","duration":)");
  AppendInt(out, span.duration_ns);
  out.append(R"(,"fields":{)");
  bool first = true;
  for (auto field = span.fields.begin(); field != span.fields.end(); ++field) {
    const bool is_last = std::none_of(field + 1, span.fields.end(), [&](const auto& later) {
      return later.first == field->first;
    });
    if (!is_last) continue;
    if (!first) out.push_back(',');
    first = false;
    AppendJsonString(out, field->first);
    out.push_back(':');
    AppendValue(out, field->second);
  }
  out.append("}}\n");
}

}  // namespace llama::trace
