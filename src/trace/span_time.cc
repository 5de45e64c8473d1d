// RFC 3339 times, both ways.
#include <charconv>

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

// The inverse of DateOfDay.
int64_t DayOfDate(Date date) {
  const int64_t year = date.month <= 2 ? date.year - 1 : date.year;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const int64_t year_of_era = year - era * 400;
  const int64_t month_from_march = date.month > 2 ? date.month - 3 : date.month + 9;
  const int64_t day_of_year = (153 * month_from_march + 2) / 5 + date.day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

// Takes exactly `width` digits off the front; -1 if they aren't there.
int64_t TakeDigits(std::string_view& text, size_t width) {
  if (text.size() < width) return -1;
  int64_t value = 0;
  for (const char c : text.substr(0, width)) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(width);
  return value;
}

bool TakeChar(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

// Nanoseconds of ".123…"; 0 where there is no fraction, -1 if there is a point without digits.
int64_t TakeFraction(std::string_view& text) {
  if (!TakeChar(text, '.')) return 0;
  int64_t ns = 0;
  size_t digits = 0;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; ++digits) {
    if (digits < 9) ns = ns * 10 + (text.front() - '0');
    text.remove_prefix(1);
  }
  if (digits == 0) return -1;
  for (; digits < 9; ++digits) ns *= 10;
  return ns;
}

// Seconds east of UTC of "Z" or "+02:00".
std::optional<int64_t> TakeOffset(std::string_view& text) {
  if (TakeChar(text, 'Z') || TakeChar(text, 'z')) return 0;
  const bool west = TakeChar(text, '-');
  if (!west && !TakeChar(text, '+')) return std::nullopt;
  const int64_t hours = TakeDigits(text, 2);
  if (hours < 0 || hours > 23 || !TakeChar(text, ':')) return std::nullopt;
  const int64_t minutes = TakeDigits(text, 2);
  if (minutes < 0 || minutes > 59) return std::nullopt;
  return (west ? -1 : 1) * (hours * 3600 + minutes * 60);
}

void AppendPadded(std::string& out, int64_t value, size_t width) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, value);
  const auto length = static_cast<size_t>(end.ptr - digits);
  if (length < width) out.append(width - length, '0');
  out.append(digits, length);
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

std::optional<int64_t> ParseTime(std::string_view text) {
  Date date;
  date.year = TakeDigits(text, 4);
  if (date.year < 0 || !TakeChar(text, '-')) return std::nullopt;
  date.month = TakeDigits(text, 2);
  if (date.month < 1 || date.month > 12 || !TakeChar(text, '-')) return std::nullopt;
  date.day = TakeDigits(text, 2);
  if (date.day < 1 || date.day > 31) return std::nullopt;
  if (!TakeChar(text, 'T') && !TakeChar(text, 't') && !TakeChar(text, ' ')) return std::nullopt;
  const int64_t hour = TakeDigits(text, 2);
  if (hour < 0 || hour > 23 || !TakeChar(text, ':')) return std::nullopt;
  const int64_t minute = TakeDigits(text, 2);
  if (minute < 0 || minute > 59 || !TakeChar(text, ':')) return std::nullopt;
  const int64_t second = TakeDigits(text, 2);
  if (second < 0 || second > 60) return std::nullopt;
  const int64_t ns = TakeFraction(text);
  const std::optional<int64_t> offset = TakeOffset(text);
  if (ns < 0 || !offset || !text.empty()) return std::nullopt;
  int64_t seconds = DayOfDate(date) * kSecondsPerDay + hour * 3600 + minute * 60 + second - *offset;
  int64_t rest = ns;
  // Towards zero, so that the very first representable second is not an overflow halfway.
  if (seconds < 0 && rest > 0) {
    ++seconds;
    rest -= kNsPerSecond;
  }
  int64_t time_ns = 0;
  if (__builtin_mul_overflow(seconds, kNsPerSecond, &time_ns) ||
      __builtin_add_overflow(time_ns, rest, &time_ns)) {
    return std::nullopt;
  }
  return time_ns;
}

}  // namespace llama::trace
