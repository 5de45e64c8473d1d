#include "emulator/request/policy.h"

#include <simdjson.h>

#include <algorithm>

#include "emulator/request/text.h"

namespace llama::emulator {
namespace {

using simdjson::dom::element;

enum class Verdict : unsigned char { kSilent, kAllows, kDenies };

// With * for any text and ? for any byte.
bool Matches(std::string_view pattern, std::string_view text) {
  size_t p = 0;
  size_t t = 0;
  size_t star = std::string_view::npos;
  size_t from = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      from = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++from;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

// "arn:aws-cn:s3:::b" as "arn::s3:::b".
std::string WithoutPartition(std::string_view arn) {
  const size_t colon = arn.starts_with("arn:") ? arn.find(':', 4) : std::string_view::npos;
  if (colon == std::string_view::npos) return std::string(arn);
  return "arn:" + std::string(arn.substr(colon));
}

std::vector<std::string> Texts(const element& value) {
  std::vector<std::string> texts;
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) return {std::string(text)};
  simdjson::dom::array array;
  if (value.get(array) != simdjson::SUCCESS) return texts;
  for (const element one : array) {
    if (one.get(text) == simdjson::SUCCESS) texts.emplace_back(text);
  }
  return texts;
}

template <typename Fits>
bool Names(const element& statement, const char* name, const char* inverse, Fits fits) {
  element value;
  if (statement[name].get(value) == simdjson::SUCCESS) {
    const std::vector<std::string> texts = Texts(value);
    return std::any_of(texts.begin(), texts.end(), fits);
  }
  if (statement[inverse].get(value) != simdjson::SUCCESS) return false;
  const std::vector<std::string> texts = Texts(value);
  return std::none_of(texts.begin(), texts.end(), fits);
}

Verdict Judge(const element& statement, std::string_view action, std::string_view resource) {
  std::string_view effect;
  if (statement["Effect"].get(effect) != simdjson::SUCCESS) return Verdict::kSilent;
  const std::string lower = LowerCase(action);
  const std::string arn = WithoutPartition(resource);
  const bool concerns =
      Names(statement, "Action", "NotAction",
            [&](const std::string& one) { return Matches(LowerCase(one), lower); }) &&
      Names(statement, "Resource", "NotResource",
            [&](const std::string& one) { return Matches(WithoutPartition(one), arn); });
  if (!concerns) return Verdict::kSilent;
  if (effect == "Deny") return Verdict::kDenies;
  element condition;
  const bool is_bare = statement["Condition"].get(condition) != simdjson::SUCCESS;
  return effect == "Allow" && is_bare ? Verdict::kAllows : Verdict::kSilent;
}

}  // namespace

bool IsAllowed(const Policies& policies, std::string_view action, std::string_view resource) {
  bool allowed = false;
  for (const std::string& policy : policies) {
    simdjson::dom::parser parser;
    element root;
    element statements;
    if (parser.parse(simdjson::padded_string(policy)).get(root) != simdjson::SUCCESS) continue;
    if (root["Statement"].get(statements) != simdjson::SUCCESS) continue;
    simdjson::dom::array list;
    const auto judge = [&](const element& one) {
      const Verdict verdict = Judge(one, action, resource);
      allowed = allowed || verdict == Verdict::kAllows;
      return verdict != Verdict::kDenies;
    };
    if (statements.get(list) != simdjson::SUCCESS) {
      if (!judge(statements)) return false;
      continue;
    }
    for (const element one : list) {
      if (!judge(one)) return false;
    }
  }
  return allowed;
}

}  // namespace llama::emulator
