#include "compiler/environment.h"

#include <langinfo.h>
#include <locale.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/clock.h"
#include "base/environment.h"
#include "base/file.h"
#include "base/root_mark.h"
#include "compiler/plan.h"

namespace llama::compiler {
namespace {

constexpr auto kVerbatim = std::to_array<std::string_view>(
    {"SOURCE_DATE_EPOCH", "GCC_COLORS", "GCC_EXTRA_DIAGNOSTIC_OUTPUT", "GCC_URLS", "TERM_URLS",
     "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "POSIXLY_CORRECT"});
constexpr auto kSearchPaths =
    std::to_array<std::string_view>({"CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH"});
// They write dependencies elsewhere, swap programs, rewrite options or map paths.
constexpr auto kUnsafeVariables = std::to_array<std::string_view>(
    {"DEPENDENCIES_OUTPUT", "SUNPRO_DEPENDENCIES", "COMPILER_PATH", "GCC_EXEC_PREFIX",
     "GCC_COMPARE_DEBUG", "GCC_ROOT", "RC_DEBUG_OPTIONS", "RC_DEBUG_PREFIX_MAP"});
constexpr auto kUnsafeVariablePrefixes =
    std::to_array<std::string_view>({"CCC_", "CLANG_", "CC_PRINT_"});

template <size_t N>
bool Contains(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// The first that is set and not empty decides, as setlocale has it.
std::string EffectiveLocale(const std::vector<std::string>& env, std::string_view category) {
  for (const std::string_view name : {std::string_view("LC_ALL"), category, {"LANG"}}) {
    const char* value = FindVariable(env, name);
    if (value != nullptr && *value != '\0') return value;
  }
  return "C";
}

// An unknown locale is C to setlocale's callers.
bool AskUtf8Locale(const std::string& name) {
  const locale_t locale = newlocale(LC_CTYPE_MASK, name.c_str(), nullptr);
  if (locale == nullptr) return false;
  const bool utf8 = std::string_view(nl_langinfo_l(CODESET, locale)) == "UTF-8";
  freelocale(locale);
  return utf8;
}

// Asking reads files, and every compile has the same one; one may be installed meanwhile.
bool IsUtf8Locale(const std::string& name) {
  constexpr int64_t kHoldNs = 1'000'000'000;
  thread_local struct {
    std::string name;
    bool is_utf8 = false;
    int64_t until_ns = 0;
  } last;
  const int64_t now_ns = SystemClock().MonotonicNs();
  if (name != last.name || now_ns >= last.until_ns) {
    last = {name, AskUtf8Locale(name), now_ns + kHoldNs};
  }
  return last.is_utf8;
}

bool IsEnglish(std::string_view name) {
  return name == "C" || name == "POSIX" || name.starts_with("C.") || name.starts_with("en");
}

bool HasTranslatedMessages(const std::vector<std::string>& env) {
  const std::string locale = EffectiveLocale(env, "LC_MESSAGES");
  if (locale == "C" || locale == "POSIX") return false;
  const char* language = FindVariable(env, "LANGUAGE");
  if (language != nullptr && *language != '\0') return !IsEnglish(language);
  return !IsEnglish(locale);
}

// What libc looks at itself (the loader, the locale) is led by nobody.
constexpr std::string_view kRoot(&kRootMark, 1);

std::string Join(const std::vector<std::string>& dirs, std::string_view before_each) {
  std::string out;
  for (const std::string& dir : dirs) {
    if (!out.empty()) out += ':';
    out.append(before_each).append(dir);
  }
  return out;
}

void AddSearchPath(std::string_view value, std::vector<std::string>& paths) {
  for (size_t begin = 0; begin <= value.size();) {
    const size_t end = std::min(value.find(':', begin), value.size());
    if (end > begin) paths.emplace_back(value.substr(begin, end - begin));
    begin = end + 1;
  }
}

constexpr uint64_t kMaxZoneBytes = 1u << 20;

// Of the zone's file, if the value names one. Empty: UTC.
std::string ZonePath(const char* tz) {
  if (tz == nullptr) return "/etc/localtime";
  const std::string_view name = *tz == ':' ? tz + 1 : tz;
  return name.empty() ? "" : JoinPath("/usr/share/zoneinfo", name);
}

// Where the driver puts its scratch files, whose names are in the assembler's messages and in
// clang's debug information. gcc passes
// over what is no folder that it may use (libiberty's choose_tmpdir), clang does not. Nothing: it
// can't be told here.
std::optional<std::string> TemporaryFolder(const std::vector<std::string>& env, Family family) {
  const bool is_clang = family == Family::kClang;
  for (const std::string_view name : {"TMPDIR", "TMP", "TEMP", "TEMPDIR"}) {
    const char* value = FindVariable(env, name);
    if (value == nullptr || (!is_clang && (*value == '\0' || name == "TEMPDIR"))) continue;
    if (*value != '/') return std::nullopt;
    if (access(value, R_OK | W_OK | X_OK) == 0) {
      const Result<std::string> real = RealPath(value);
      return real && *real == value ? std::optional(*real) : std::nullopt;
    }
    if (is_clang) return std::nullopt;
  }
  return "/tmp";
}

}  // namespace

std::string PosixTimeZone(const char* tz) {
  const std::string path = ZonePath(tz);
  if (path.empty()) return "UTC0";
  auto zone = ReadFile(path, kMaxZoneBytes);
  // Not the name of a zone: a rule already, or something that means UTC.
  if (!zone) return tz == nullptr ? "UTC0" : tz;
  // The footer of a TZif file, version 2 and later (RFC 8536): newline, rule, newline.
  if (!zone->starts_with("TZif") || !zone->ends_with('\n')) return {};
  const size_t begin = zone->rfind('\n', zone->size() - 2);
  return begin == zone->npos ? "" : zone->substr(begin + 1, zone->size() - begin - 2);
}

std::string TimeZoneFile(const char* tz) {
  // The header's counts begin with those of the two indicators and of leap seconds.
  constexpr size_t kTransitionsAt = 32;
  constexpr size_t kHeaderBytes = 44;
  const std::string path = ZonePath(tz);
  if (path.empty()) return {};
  const auto zone = ReadFile(path, kMaxZoneBytes);
  if (!zone || !zone->starts_with("TZif") || zone->size() < kHeaderBytes) return {};
  // The second header counts what does not fit into the first one's 32 bits, too.
  const size_t second = zone->find("TZif", kHeaderBytes);
  for (const size_t header : {size_t{0}, second}) {
    if (header == zone->npos || header + kHeaderBytes > zone->size()) continue;
    if (zone->substr(header + kTransitionsAt, 4) != std::string(4, '\0')) {
      auto real = RealPath(path);
      return real ? *std::move(real) : std::string();
    }
  }
  return {};
}

RemoteEnvironment MakeEnvironment(const std::vector<std::string>& env, const Toolchain& toolchain,
                                  const std::string& pwd) {
  RemoteEnvironment out;
  for (const std::string& entry : env) {
    const std::string_view name = std::string_view(entry).substr(0, entry.find('='));
    const bool unsafe = Contains(kUnsafeVariables, name) ||
                        std::any_of(kUnsafeVariablePrefixes.begin(), kUnsafeVariablePrefixes.end(),
                                    [&](std::string_view p) { return name.starts_with(p); });
    if (unsafe && out.local_reason.empty()) out.local_reason = "environment:" + std::string(name);
    if (Contains(kVerbatim, name)) out.env.push_back(entry);
    if (Contains(kSearchPaths, name) && entry.size() > name.size()) {
      out.env.push_back(entry);
      AddSearchPath(std::string_view(entry).substr(name.size() + 1), out.paths);
    }
  }
  out.env.push_back("PATH=" + Join(toolchain.path_dirs, {}));
  if (!toolchain.library_dirs.empty()) {
    out.env.push_back("LD_LIBRARY_PATH=" + Join(toolchain.library_dirs, kRoot));
  }
  out.env.push_back("PWD=" + pwd);
  out.env.push_back("LLAMA_LOOKUP_ROOT=" + std::string(kRoot));
  const bool is_utf8 = IsUtf8Locale(EffectiveLocale(env, "LC_CTYPE"));
  out.env.emplace_back(is_utf8 ? "LC_ALL=C.UTF-8" : "LC_ALL=C");
  if (!toolchain.locale_dir.empty())
    out.env.push_back("LOCPATH=" + std::string(kRoot) + toolchain.locale_dir);
  const std::string zone = PosixTimeZone(FindVariable(env, "TZ"));
  if (zone.empty() && out.local_reason.empty()) out.local_reason = "environment:TZ";
  out.env.push_back("TZ=" + zone);
  const std::optional<std::string> temporary = TemporaryFolder(env, toolchain.family);
  if (!temporary && out.local_reason.empty()) out.local_reason = "environment:TMPDIR";
  if (temporary && *temporary != "/tmp") out.env.push_back("TMPDIR=" + *temporary);
  // Without the locale the worker's quotes are ASCII: as good as another language.
  out.translated_messages = HasTranslatedMessages(env) || (is_utf8 && toolchain.locale_dir.empty());
  return out;
}

}  // namespace llama::compiler
