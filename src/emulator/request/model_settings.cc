#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/log.h"
#include "emulator/request/model.h"
#include "emulator/request/model_table.h"
#include "emulator/request/text.h"

namespace llama::emulator {
namespace {

struct Scale {
  std::string_view suffix;
  double factor;
};

constexpr auto kTimeScales = std::to_array<Scale>({
    {"ns", 1},
    {"us", 1e3},
    {"ms", 1e6},
    {"s", 1e9},
    {"m", 60e9},
    {"h", 3600e9},
});
constexpr auto kByteScales = std::to_array<Scale>({
    {"", 1},
    {"B", 1},
    {"KB", 1e3},
    {"MB", 1e6},
    {"GB", 1e9},
    {"KiB", 1 << 10},
    {"MiB", 1 << 20},
    {"GiB", 1 << 30},
    {"kbit", 1e3 / 8},
    {"Mbit", 1e6 / 8},
    {"Gbit", 1e9 / 8},
});

const Setting* FindSetting(std::string_view key) {
  const auto found = std::find_if(kSettings.begin(), kSettings.end(),
                                  [&](const Setting& s) { return s.key == key; });
  return found == kSettings.end() ? nullptr : &*found;
}

// A number and what follows it.
std::optional<std::pair<double, std::string_view>> SplitNumber(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || !std::isfinite(value) || value < 0) return std::nullopt;
  return std::pair{value, TrimSpace(text.substr(static_cast<size_t>(end - text.data())))};
}

std::optional<double> Scaled(std::string_view text, std::span<const Scale> scales) {
  const auto parts = SplitNumber(text);
  if (!parts) return std::nullopt;
  if (parts->first == 0 && parts->second.empty()) return 0;
  for (const Scale& scale : scales) {
    if (parts->second == scale.suffix) return parts->first * scale.factor;
  }
  return std::nullopt;
}

std::optional<double> Chance(std::string_view text) {
  const auto parts = SplitNumber(text);
  if (!parts || (parts->second != "%" && !parts->second.empty())) return std::nullopt;
  const double chance = parts->second.empty() ? parts->first : parts->first / 100;
  if (chance > 1) return std::nullopt;
  return chance;
}

std::optional<double> Switch(std::string_view text) {
  if (text == "on" || text == "true" || text == "1") return 1;
  if (text == "off" || text == "false" || text == "0") return 0;
  return std::nullopt;
}

std::optional<double> ParseScalar(Unit unit, std::string_view text) {
  switch (unit) {
    case Unit::kTime:
      return Scaled(text, kTimeScales);
    case Unit::kChance:
      return Chance(text);
    case Unit::kRate:
      if (text.ends_with("/s")) text.remove_suffix(2);
      return Scaled(text, kByteScales);
    case Unit::kBytes:
      return Scaled(text, kByteScales);
    case Unit::kNumber:
      if (const auto parts = SplitNumber(text); parts && parts->second.empty()) {
        return parts->first;
      }
      return std::nullopt;
    case Unit::kSwitch:
      return Switch(text);
  }
  return std::nullopt;
}

std::vector<std::string_view> SplitWords(std::string_view text) {
  std::vector<std::string_view> words;
  while (!(text = TrimSpace(text)).empty()) {
    const size_t end = std::min(text.find_first_of(" \t"), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return words;
}

std::optional<Distribution> ParseTime(std::string_view text) {
  using Shape = Distribution::Shape;
  const std::vector<std::string_view> words = SplitWords(text);
  if (words.size() != 3) {
    const auto value = ParseScalar(Unit::kTime, text);
    if (!value) return std::nullopt;
    return Distribution{Shape::kConstant, *value, 0};
  }
  const bool log = words[0] == "lognormal";
  const auto a = ParseScalar(Unit::kTime, words[1]);
  const auto b = ParseScalar(log ? Unit::kNumber : Unit::kTime, words[2]);
  if (!a || !b) return std::nullopt;
  if (log) return Distribution{Shape::kLogNormal, *a, *b};
  if (words[0] == "normal") return Distribution{Shape::kNormal, *a, *b};
  if (words[0] == "uniform" && *a <= *b) return Distribution{Shape::kUniform, *a, *b};
  return std::nullopt;
}

std::string Number(double value) {
  std::array<char, 40> text{};
  const auto [end, error] =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, 6);
  std::string out(text.data(), error == std::errc() ? end : text.data());
  while (out.ends_with('0')) out.pop_back();
  if (out.ends_with('.')) out.pop_back();
  return out;
}

std::string FormatValue(Unit unit, const Distribution& d) {
  if (unit != Unit::kTime) return Number(d.a);
  const std::string a = Number(d.a / 1e6) + "ms";
  const std::string b = Number(d.b / 1e6) + "ms";
  switch (d.shape) {
    case Distribution::Shape::kConstant:
      return a;
    case Distribution::Shape::kUniform:
      return "uniform " + a + " " + b;
    case Distribution::Shape::kNormal:
      return "normal " + a + " " + b;
    case Distribution::Shape::kLogNormal:
      return "lognormal " + a + " " + Number(d.b);
  }
  return a;
}

Result<Pairs> JsonPairs(std::string_view text) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(simdjson::padded_string(text)).get_object().get(object) != simdjson::SUCCESS) {
    return Error{Code::kInvalid, "model: not a JSON object"};
  }
  Pairs pairs;
  for (const auto& [key, value] : object) {
    std::string_view string;
    const bool is_string = value.get_string().get(string) == simdjson::SUCCESS;
    pairs.emplace_back(key, is_string ? std::string(string) : simdjson::minify(value));
  }
  return pairs;
}

Result<Pairs> LinePairs(std::string_view text) {
  Pairs pairs;
  for (int number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size() - 1);
    std::string_view line = text.substr(0, end + 1);
    text.remove_prefix(end + 1);
    line = TrimSpace(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos) {
      return Error{Code::kInvalid, "model: line " + std::to_string(number) + " is not key = value"};
    }
    pairs.emplace_back(TrimSpace(line.substr(0, equals)), TrimSpace(line.substr(equals + 1)));
  }
  return pairs;
}

}  // namespace

ModelSettings::ModelSettings() {
  for (const Setting& setting : kSettings) {
    if (!setting.value.empty()) CHECK(Set(setting.key, setting.value).has_value());
  }
}

Result<ModelSettings> ModelSettings::Profile(std::string_view name) {
  ModelSettings settings;
  if (name == "none") return settings;
  if (name != "aws") {
    return Error{Code::kInvalid, "model: no profile '" + std::string(name) + "' (none, aws)"};
  }
  for (const Setting& setting : kSettings) {
    if (!setting.aws.empty()) CHECK(settings.Set(setting.key, setting.aws).has_value());
  }
  return settings;
}

Result<ModelSettings> ModelSettings::Parse(std::string_view text) {
  ModelSettings settings;
  TRY(settings.Apply(text));
  return settings;
}

Result<void> ModelSettings::Apply(std::string_view text) {
  text = TrimSpace(text);
  ASSIGN_OR_RETURN(const Pairs pairs, text.starts_with('{') ? JsonPairs(text) : LinePairs(text));
  for (const auto& [key, value] : pairs) {
    if (key != "profile") continue;
    ASSIGN_OR_RETURN(*this, Profile(value));
  }
  for (const auto& [key, value] : pairs) {
    if (key != "profile") TRY(Set(key, value));
  }
  return {};
}

Result<void> ModelSettings::Set(std::string_view key, std::string_view value) {
  const Setting* setting = FindSetting(key);
  if (setting == nullptr) {
    return Error{Code::kInvalid, "model: no setting '" + std::string(key) + "'"};
  }
  std::optional<Distribution> parsed;
  if (setting->unit == Unit::kTime) {
    parsed = ParseTime(value);
  } else if (const auto scalar = ParseScalar(setting->unit, value)) {
    parsed = Distribution{Distribution::Shape::kConstant, *scalar, 0};
  }
  if (!parsed) {
    return Error{Code::kInvalid,
                 "model: " + std::string(key) + " can't be '" + std::string(value) + "'"};
  }
  values_.insert_or_assign(std::string(key), *parsed);
  return {};
}

double ModelSettings::Number(std::string_view key) const {
  const Distribution* found = Find(key);
  return found == nullptr ? 0 : found->a;
}

const Distribution* ModelSettings::Find(std::string_view key) const {
  CHECK(FindSetting(key) != nullptr);
  const auto found = values_.find(key);
  return found == values_.end() ? nullptr : &found->second;
}

std::string ModelSettings::Format() const {
  std::string out;
  for (const Setting& setting : kSettings) {
    if (const Distribution* value = Find(setting.key)) {
      out.append(setting.key).append(" = ").append(FormatValue(setting.unit, *value)) += '\n';
    }
  }
  return out;
}

}  // namespace llama::emulator
