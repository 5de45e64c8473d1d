// sign_lines: signs the requests on stdin, for botocore_fuzz.py. A line is a request, its fields in
// hex and separated by blanks: "sign" or "presign", method, target, payload hash, region, service,
// time, key id, secret, token, then header names and values. The answer is a line: the
// Authorization header, or the presigned target.
#include <cstdlib>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "signing/sigv4.h"

namespace {

constexpr size_t kFixedFields = 10;
constexpr int64_t kExpiresS = 900;

std::optional<std::string> FromHex(const std::string& hex) {
  std::string text;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    text += '%';
    text += hex.substr(i, 2);
  }
  llama::Result<std::string> bytes = llama::signing::UriDecode(text);
  if (hex.size() % 2 != 0 || !bytes) return std::nullopt;
  return *std::move(bytes);
}

std::optional<std::vector<std::string>> Fields(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream words(line);
  for (std::string word; words >> word;) {
    // "-" stands for an empty field.
    const std::optional<std::string> field = FromHex(word == "-" ? "" : word);
    if (!field) return std::nullopt;
    fields.push_back(*field);
  }
  if (fields.size() < kFixedFields || fields.size() % 2 != 0) return std::nullopt;
  return fields;
}

std::string Answer(const std::vector<std::string>& f) {
  using namespace llama::signing;  // NOLINT: a program of one purpose
  const Keys keys = {f[7], f[8], f[9]};
  const Scope scope = {f[4], f[5]};
  const int64_t time_s = std::atoll(f[6].c_str());
  Request request = {f[1], f[2], {}, f[3]};
  for (size_t i = kFixedFields; i < f.size(); i += 2) request.headers.emplace_back(f[i], f[i + 1]);
  if (f[0] == "presign") {
    return Presign(request.method, f[kFixedFields + 1], request.target, keys, scope, time_s,
                   kExpiresS);
  }
  Sign(request, keys, scope, time_s);
  return request.headers.back().second;
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    const auto fields = Fields(line);
    if (!fields) {
      std::cerr << "sign_lines: malformed line\n";
      return 1;
    }
    std::cout << Answer(*fields) << "\n";
  }
  return 0;
}
