// For tests: a Lambda front with everything around it, in one object, and requests to it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "emulator/lambda/front.h"
#include "emulator/request/authority.h"
#include "emulator/request/message.h"
#include "emulator/request/model.h"
#include "emulator/server/request_log.h"

namespace llama::emulator {

struct TestZipEntry {
  std::string name;
  std::string bytes;
  uint32_t mode = 0100644;  // as st_mode has it
};
std::string MakeTestZip(const std::vector<TestZipEntry>& entries);
// The fake function (fake_function/main.cc) as a function's zip.
std::string FakeFunctionZip();

class LambdaWorld {
 public:
  // `settings` are lines of the model; `options.dir` is this object's.
  explicit LambdaWorld(std::string_view settings = "", LambdaOptions options = {});
  ~LambdaWorld();

  // Signed with good keys.
  Response Send(const std::string& method, const std::string& target, std::string body = "",
                Pairs headers = {});
  // A function of the fake's zip; `more` are members of the request, ", \"Timeout\": 1".
  Response Create(const std::string& name, const std::string& more = "");
  // The payload is the JSON string `words`.
  Response Invoke(const std::string& name, const std::string& words, Pairs headers = {},
                  const std::string& query = "");
  // The answer's text between its quotes, or the whole body.
  std::string Ask(const std::string& name, const std::string& words);
  // Ends the emulator and starts another in its folder.
  void Restart();

  LambdaFront& front() { return *front_; }
  Authority& authority() { return authority_; }
  const std::string& dir() const { return dir_.path(); }
  // How many of the function's log lines hold `text`.
  size_t Logged(const std::string& function, const std::string& text) const;
  int64_t Counter(const std::string& name) const;

 private:
  TempDir dir_;
  LambdaOptions options_;
  Authority authority_;
  signing::Keys keys_;
  Model model_;
  RequestLog log_;
  std::unique_ptr<LambdaFront> front_;
};

// The value of a header, or "".
std::string HeaderOf(const Response& response, std::string_view name);

}  // namespace llama::emulator
