#include "emulator/lambda/testing.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

#include "emulator/lambda/registry.h"
#include "emulator/request/lambda_json.h"
#include "emulator/request/text.h"

namespace llama::emulator {
namespace {

class Patient final : public Exchange {
 public:
  bool Abandoned() const override { return false; }
  bool SleepUntil(int64_t monotonic_ns) const override {
    while (SystemClock().MonotonicNs() < monotonic_ns) {
    }
    return true;
  }
};

}  // namespace

std::string MakeTestZip(const std::vector<TestZipEntry>& entries) {
  zip_error_t error;
  zip_source_t* const target = zip_source_buffer_create(nullptr, 0, 0, &error);
  zip_source_keep(target);
  zip_t* const archive = zip_open_from_source(target, ZIP_TRUNCATE, &error);
  for (const TestZipEntry& entry : entries) {
    zip_int64_t index = 0;
    if (entry.name.ends_with('/')) {
      index = zip_dir_add(archive, entry.name.c_str(), 0);
    } else {
      zip_source_t* const source =
          zip_source_buffer(archive, entry.bytes.data(), entry.bytes.size(), 0);
      index = zip_file_add(archive, entry.name.c_str(), source, 0);
    }
    EXPECT_GE(index, 0) << zip_strerror(archive);
    zip_file_set_external_attributes(archive, static_cast<zip_uint64_t>(index), 0, ZIP_OPSYS_UNIX,
                                     entry.mode << 16);
  }
  EXPECT_EQ(zip_close(archive), 0);
  zip_source_open(target);
  zip_stat_t st;
  zip_source_stat(target, &st);
  std::string bytes(st.size, '\0');
  zip_source_read(target, bytes.data(), bytes.size());
  zip_source_close(target);
  zip_source_free(target);
  return bytes;
}

std::string FakeFunctionZip() {
  // Compressing it takes longer than most tests do.
  static const std::string zip =
      MakeTestZip({{"bootstrap", ReadFile(FAKE_FUNCTION).value(), 0100755},
                   {"data/note.txt", "a note", 0100644}});
  return zip;
}

LambdaWorld::LambdaWorld(std::string_view settings, LambdaOptions options)
    : dir_(TempDir::Create("llama-lambda").value()),
      options_(std::move(options)),
      authority_("us-east-1", SystemClock()),
      keys_{"AKIATEST", "test-secret", ""},
      model_(ModelSettings::Parse(settings).value()) {
  authority_.Add(keys_);
  options_.dir = dir_.path();
  Restart();
}

LambdaWorld::~LambdaWorld() = default;

void LambdaWorld::Restart() {
  front_.reset();
  const auto fetch = [](const std::string& bucket, const std::string& key) -> Result<std::string> {
    if (bucket == "code" && key == "fake.zip") return FakeFunctionZip();
    return Error{Code::kNotFound, "The specified key does not exist."};
  };
  Result<std::unique_ptr<LambdaFront>> front =
      LambdaFront::Open(options_, fetch, authority_, model_, log_, SystemClock());
  ASSERT_TRUE(front) << front.error().message;
  front_ = std::move(front).value();
}

Response LambdaWorld::Send(const std::string& method, const std::string& target, std::string body,
                           Pairs headers) {
  signing::Request signed_request;
  signed_request.method = method;
  signed_request.target = target;
  signed_request.headers = std::move(headers);
  signed_request.headers.emplace_back("Host", "127.0.0.1");
  signed_request.payload_sha256 = signing::Sha256Hex(body);
  signing::Sign(signed_request, keys_, {"us-east-1", "lambda"},
                SystemClock().NowNs() / 1'000'000'000);
  Request request;
  request.method = method;
  request.target = target;
  request.path = target.substr(0, target.find('?'));
  if (request.path.size() < target.size()) {
    request.query = ParseQuery(target.substr(request.path.size() + 1)).value();
  }
  request.headers = signed_request.headers;
  request.body = std::move(body);
  request.id = NewUuid();
  request.received_ns = SystemClock().MonotonicNs();
  return front_->Handle(request, Patient());
}

Response LambdaWorld::Create(const std::string& name, const std::string& more) {
  return Send("POST", "/2015-03-31/functions",
              R"({"FunctionName":")" + name +
                  R"(","Runtime":"provided.al2023","Handler":"fake.handler",)"
                  R"("Role":"arn:aws:iam::000000000000:role/test","Code":{"ZipFile":")" +
                  EncodeBase64(FakeFunctionZip()) + "\"}" + more + "}");
}

Response LambdaWorld::Invoke(const std::string& name, const std::string& words, Pairs headers,
                             const std::string& query) {
  return Send("POST", "/2015-03-31/functions/" + name + "/invocations" + query, "\"" + words + "\"",
              std::move(headers));
}

std::string LambdaWorld::Ask(const std::string& name, const std::string& words) {
  const Response response = Invoke(name, words);
  const std::string& body = response.body;
  if (body.size() < 2 || body.front() != '"') return body;
  return body.substr(1, body.size() - 2);
}

size_t LambdaWorld::Logged(const std::string& function, const std::string& text) const {
  LogQuery query;
  query.text = text;
  const auto events = front_->logs().Find("/aws/lambda/" + function, query);
  return events ? events->size() : 0;
}

int64_t LambdaWorld::Counter(const std::string& name) const {
  const Result<JsonObject> json = JsonObject::Parse(log_.MetricsJson());
  return json->Int("counters/" + name).value().value_or(0);
}

std::string HeaderOf(const Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (SameIgnoringCase(key, name)) return value;
  }
  return "";
}

}  // namespace llama::emulator
