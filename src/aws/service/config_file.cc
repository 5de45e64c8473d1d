#include "aws/service/config_file.h"

#include <algorithm>
#include <set>
#include <utility>

#include "aws/service/shell_words.h"
#include "base/file.h"

namespace llama::aws {
namespace {

// Far above any that people write.
constexpr uint64_t kMaxFileBytes = 16ull << 20;
constexpr std::string_view kBlanks = " \t\r\n\v\f";

std::string_view Strip(std::string_view text) {
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// Lines end with \n, \r\n or \r.
std::string_view TakeLine(std::string_view& text) {
  const size_t end = text.find_first_of("\r\n");
  const std::string_view line = text.substr(0, end);
  if (end == std::string_view::npos) {
    text = {};
  } else {
    text.remove_prefix(end + (text.substr(end).starts_with("\r\n") ? 2 : 1));
  }
  return line;
}

// Python's RawConfigParser, whose rules botocore has by using it: see _read in its configparser.py.
class IniReader {
 public:
  IniReader(const std::string& name, Nesting nesting) : name_(name), nesting_(nesting) {}

  Result<ConfigFile> Read(std::string_view text) {
    while (!text.empty()) {
      ++number_;
      TRY(ReadLine(TakeLine(text)));
    }
    TRY(EndValue());
    return std::move(file_);
  }

 private:
  Error Wrong(std::string_view what) const {
    return Error{Code::kInvalid, name_ + ":" + std::to_string(number_) + ": " + std::string(what)};
  }

  Result<void> ReadLine(std::string_view line) {
    const std::string_view text = Strip(line);
    if (text.empty()) {
      if (in_value_) value_.push_back('\n');
      return {};
    }
    if (text[0] == '#' || text[0] == ';') return {};
    const auto indent = static_cast<size_t>(text.data() - line.data());
    if (in_value_ && indent > indent_) {
      value_.append("\n").append(text);
      return {};
    }
    TRY(EndValue());
    indent_ = indent;
    const size_t close = text.rfind(']');
    if (text[0] == '[' && close != std::string_view::npos && close > 1) {
      return BeginSection(text.substr(1, close - 1));
    }
    return BeginValue(text);
  }

  Result<void> BeginSection(std::string_view header) {
    const auto [it, fresh] = file_.emplace(header, ConfigSection());
    if (!fresh) return Wrong("section [" + std::string(header) + "] comes twice");
    section_ = &it->second;
    return {};
  }

  Result<void> BeginValue(std::string_view text) {
    if (section_ == nullptr) return Wrong("a setting outside of any [section]");
    const size_t delimiter = text.find_first_of("=:");
    // What the line holds is not repeated: it may be part of a secret.
    if (delimiter == std::string_view::npos) return Wrong("neither a [section] nor key = value");
    key_ = Lower(Strip(text.substr(0, delimiter)));
    if (key_.empty()) return Wrong("a value without a key");
    if (section_->contains(key_)) return Wrong("'" + key_ + "' comes twice in its section");
    (*section_)[key_].source = name_ + ":" + std::to_string(number_);
    value_ = Strip(text.substr(delimiter + 1));
    in_value_ = true;
    return {};
  }

  Result<void> EndValue() {
    if (!std::exchange(in_value_, false)) return {};
    value_.resize(std::min(value_.size(), value_.find_last_not_of(kBlanks) + 1));
    ConfigValue& value = (*section_)[key_];
    if (nesting_ == Nesting::kNone || !value_.starts_with('\n')) {
      value.text = std::move(value_);
      return {};
    }
    std::string_view rest = value_;
    while (!rest.empty()) {
      const std::string_view line = Strip(TakeLine(rest));
      if (line.empty()) continue;
      const size_t equals = line.find('=');
      if (equals == std::string_view::npos) {
        return Error{Code::kInvalid,
                     value.source + ": a line of '" + key_ + "' is not key = value"};
      }
      value.nested[std::string(Strip(line.substr(0, equals)))] = Strip(line.substr(equals + 1));
    }
    return {};
  }

  const std::string& name_;
  const Nesting nesting_;
  ConfigFile file_;
  ConfigSection* section_ = nullptr;
  int number_ = 0;
  size_t indent_ = 0;  // of the key whose value may go on
  bool in_value_ = false;
  std::string key_;
  std::string value_;
};

// "profile dev" → "dev"; empty if it is not such a section.
std::string NameAfter(std::string_view word, const std::string& header) {
  if (!header.starts_with(word)) return "";
  const Result<std::vector<std::string>> words = SplitShellWords(header);
  return words && words->size() == 2 ? (*words)[1] : "";
}

Result<ConfigFile> LoadFile(const std::vector<std::string>& env, std::string_view variable,
                            std::string_view below_home, Nesting nesting) {
  std::string path = EnvValue(env, variable);
  const std::string home = EnvValue(env, "HOME");
  if (path.empty()) path = "~/.aws/" + std::string(below_home);
  if (path.starts_with("~/")) {
    if (home.empty()) return ConfigFile();
    path = home + path.substr(1);
  }
  const Result<std::string> text = ReadFile(path, kMaxFileBytes);
  if (text) return ParseConfigFile(*text, path, nesting);
  if (text.error().code == Code::kNotFound) return ConfigFile();
  return text.error();
}

}  // namespace

Result<ConfigFile> ParseConfigFile(std::string_view text, const std::string& name,
                                   Nesting nesting) {
  return IniReader(name, nesting).Read(text);
}

AwsConfig MergeConfig(const ConfigFile& config, const ConfigFile& credentials) {
  AwsConfig out;
  for (const auto& [header, section] : config) {
    if (header == "default") out.profiles[header] = section;
    if (const std::string name = NameAfter("profile", header); !name.empty()) {
      out.profiles[name] = section;
    }
    if (const std::string name = NameAfter("services", header); !name.empty()) {
      out.services[name] = section;
    }
    if (const std::string name = NameAfter("sso-session", header); !name.empty()) {
      out.sso_sessions[name] = section;
    }
  }
  for (const auto& [name, section] : credentials) {
    for (const auto& [key, value] : section) out.profiles[name][key] = value;
    out.profiles.try_emplace(name);
  }
  return out;
}

Result<AwsConfig> LoadAwsConfig(const std::vector<std::string>& env) {
  ASSIGN_OR_RETURN(const ConfigFile config,
                   LoadFile(env, "AWS_CONFIG_FILE", "config", Nesting::kAllowed));
  ASSIGN_OR_RETURN(const ConfigFile credentials,
                   LoadFile(env, "AWS_SHARED_CREDENTIALS_FILE", "credentials", Nesting::kNone));
  return MergeConfig(config, credentials);
}

std::string EnvValue(const std::vector<std::string>& env, std::string_view name) {
  for (const std::string& item : env) {
    if (item.size() > name.size() && item[name.size()] == '=' && item.starts_with(name)) {
      return item.substr(name.size() + 1);
    }
  }
  return "";
}

std::string_view ConfigText(const ConfigSection& section, std::string_view key) {
  const auto it = section.find(std::string(key));
  return it == section.end() ? std::string_view() : std::string_view(it->second.text);
}

}  // namespace llama::aws
