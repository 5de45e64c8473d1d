#include "emulator/request/router.h"

#include <algorithm>

#include "emulator/request/authority.h"

namespace llama::emulator {
namespace {

// "/2015-03-31/…"
bool BeginsWithDate(std::string_view path) {
  constexpr std::string_view kShape = "/dddd-dd-dd/";
  return path.size() >= kShape.size() &&
         std::equal(kShape.begin(), kShape.end(), path.begin(), [](char shape, char c) {
           return shape == 'd' ? c >= '0' && c <= '9' : shape == c;
         });
}

}  // namespace

std::string_view ServiceOf(const Request& request) {
  if (request.path.starts_with("/_emulator/")) return "emulator";
  const std::string_view scope = ScopeService(request);
  if (!scope.empty()) return scope;
  return BeginsWithDate(request.path) ? "lambda" : "s3";
}

Response Router::Handle(const Request& request, const Exchange& exchange) {
  const std::string_view service = ServiceOf(request);
  auto found = handlers_.find(service);
  // A signature for a service that is not emulated: S3 words the refusal.
  if (found == handlers_.end()) found = handlers_.find("s3");
  if (found == handlers_.end()) {
    Response response;
    response.status = 404;
    response.body = "there is no such service here\n";
    return response;
  }
  return found->second->Handle(request, exchange);
}

}  // namespace llama::emulator
