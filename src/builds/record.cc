#include "builds/record.h"

#include <simdjson.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <ctime>

#include "base/file.h"
#include "base/text/json.h"
#include "traces/columns/numbers.h"

namespace llama::builds {
namespace {

constexpr uint64_t kMaxRecordBytes = 16u << 20;
constexpr const char* kFileName = "build.json";

void ReadString(const simdjson::dom::object& object, std::string_view key, std::string& out) {
  std::string_view text;
  if (object[key].get_string().get(text) == simdjson::SUCCESS) out = text;
}

std::optional<int64_t> ReadInt(const simdjson::dom::object& object, std::string_view key) {
  int64_t value = 0;
  if (object[key].get_int64().get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

void ReadTags(const simdjson::dom::object& object, BuildRecord& out) {
  simdjson::dom::object tags;
  if (object["tags"].get_object().get(tags) != simdjson::SUCCESS) return;
  for (const auto& tag : tags) {
    std::string_view value;
    if (tag.value.get_string().get(value) != simdjson::SUCCESS) continue;
    out.tags.emplace_back(std::string(tag.key), std::string(value));
  }
}

void ReadCommand(const simdjson::dom::object& object, BuildRecord& out) {
  simdjson::dom::array words;
  if (object["command"].get_array().get(words) != simdjson::SUCCESS) return;
  for (const auto& word : words) {
    std::string_view text;
    if (word.get_string().get(text) == simdjson::SUCCESS) out.command.emplace_back(text);
  }
}

bool NeedsQuotes(std::string_view word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./-_";
  return word.empty() || word.find_first_not_of(kPlain) != std::string_view::npos;
}

}  // namespace

std::string NewBuildId(int64_t now_ns, uint64_t random) {
  const time_t seconds = now_ns / 1'000'000'000;
  tm parts{};
  localtime_r(&seconds, &parts);
  char text[64];
  const size_t size = std::strftime(text, sizeof text, "%Y%m%d-%H%M%S-", &parts);
  std::string id(text, size);
  for (int shift = 12; shift >= 0; shift -= 4) id += "0123456789abcdef"[random >> shift & 15];
  return id;
}

std::string ShellCommand(const std::vector<std::string>& command) {
  std::string out;
  for (const std::string& word : command) {
    if (!out.empty()) out += ' ';
    if (!NeedsQuotes(word)) {
      out += word;
      continue;
    }
    out += '\'';
    for (const char c : word) {
      if (c == '\'') {
        out += "'\\''";
      } else {
        out += c;
      }
    }
    out += '\'';
  }
  return out;
}

std::string BuildsDir(const std::string& state_dir) { return JoinPath(state_dir, "builds"); }

std::string BuildDir(const std::string& state_dir, std::string_view id) {
  return JoinPath(BuildsDir(state_dir), id);
}

std::string TracePath(const std::string& build_dir) {
  return JoinPath(build_dir, "trace.ndjson.zst");
}

std::string ColumnsPath(const std::string& build_dir) { return build_dir + "/trace.columns"; }

std::string ToJson(const BuildRecord& record) {
  JsonWriter json;
  json.BeginObject();
  json.Key("id").String(record.id);
  json.Key("name").String(record.name);
  json.Key("tags").BeginObject();
  for (const auto& [key, value] : record.tags) json.Key(key).String(value);
  json.EndObject();
  json.Key("command").BeginArray();
  for (const std::string& word : record.command) json.String(word);
  json.EndArray();
  json.Key("cwd").String(record.cwd);
  json.Key("start_ns").Int(record.start_ns);
  json.Key("end_ns");
  record.end_ns ? json.Int(*record.end_ns) : json.Null();
  json.Key("status");
  record.status ? json.Int(*record.status) : json.Null();
  json.Key("cpus").Int(record.cpus);
  json.Key("version").String(record.version);
  json.Key("unnamed").Bool(record.unnamed);
  json.EndObject();
  return json.Take();
}

Result<BuildRecord> ParseBuildRecord(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  // Nothing may have no address, which the parser copies from.
  if (json.empty() ||
      parser.parse(json.data(), json.size()).get_object().get(object) != simdjson::SUCCESS) {
    return Error{Code::kInvalid, "not a JSON object"};
  }
  BuildRecord record;
  ReadString(object, "id", record.id);
  ReadString(object, "name", record.name);
  ReadTags(object, record);
  ReadCommand(object, record);
  ReadString(object, "cwd", record.cwd);
  record.start_ns = ReadInt(object, "start_ns").value_or(0);
  record.end_ns = ReadInt(object, "end_ns");
  record.status = ReadInt(object, "status");
  record.cpus = ReadInt(object, "cpus").value_or(0);
  ReadString(object, "version", record.version);
  bool unnamed = false;
  if (object["unnamed"].get_bool().get(unnamed) == simdjson::SUCCESS) record.unnamed = unnamed;
  return record;
}

Result<void> WriteBuildRecord(const std::string& build_dir, const BuildRecord& record) {
  return WriteFileAtomic(JoinPath(build_dir, kFileName), ToJson(record) + "\n", 0600);
}

Result<BuildRecord> ReadBuildRecord(const std::string& build_dir) {
  struct stat st {};
  if (stat(build_dir.c_str(), &st) != 0) return ErrnoError(errno, build_dir);
  if (!S_ISDIR(st.st_mode)) return Error{Code::kNotFound, build_dir + ": not a folder"};
  BuildRecord record;
  const Result<std::string> json = ReadFile(JoinPath(build_dir, kFileName), kMaxRecordBytes);
  if (json) {
    if (auto parsed = ParseBuildRecord(*json); parsed) record = std::move(*parsed);
  }
  // The folder's name is what finds it again, whatever the file says.
  record.id = BaseName(build_dir);
  return record;
}

int64_t BeganNs(const std::string& build_dir, const BuildRecord& record) {
  if (record.start_ns != 0) return record.start_ns;
  struct stat status;
  if (lstat(build_dir.c_str(), &status) != 0) return 0;
  int64_t ns = 0;
  if (__builtin_mul_overflow(int64_t{status.st_mtim.tv_sec}, 1'000'000'000, &ns)) return 0;
  return traces::AddUp(ns, status.st_mtim.tv_nsec);
}

Result<std::vector<BuildRecord>> ListBuilds(const std::string& state_dir) {
  std::vector<BuildRecord> builds;
  auto names = ListDir(BuildsDir(state_dir));
  if (!names) {
    if (names.error().code == Code::kNotFound) return builds;
    return std::move(names).error();
  }
  std::vector<std::pair<int64_t, BuildRecord>> found;
  for (const std::string& name : *names) {
    if (name.starts_with('.')) continue;  // on its way out: builds/store.h
    const std::string dir = BuildDir(state_dir, name);
    if (auto record = ReadBuildRecord(dir); record) {
      found.emplace_back(BeganNs(dir, *record), std::move(*record));
    }
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto& [began_ns, record] : found) builds.push_back(std::move(record));
  return builds;
}

}  // namespace llama::builds
