#include "exports/send/send.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "aws/service/credentials.h"
#include "aws/service/service.h"
#include "base/text/format.h"
#include "exports/io/gzip.h"

namespace llama::exports {
namespace {

// What a receiver says is shown on a terminal, and no more of it than helps.
constexpr size_t kMaxReasonBytes = 300;

std::string Reason(std::string_view text) { return Printable(text.substr(0, kMaxReasonBytes)); }

struct Target {
  std::string endpoint;  // "https://host:port"
  std::string path;      // and query
};

Result<Target> SplitUrl(const std::string& url, std::string_view default_path) {
  if (!url.starts_with("http://") && !url.starts_with("https://")) {
    return Error{Code::kInvalid,
                 "'" + Printable(url) + "' is no URL: it begins with http:// or https://"};
  }
  const size_t host = url.find("//") + 2;
  const size_t path = std::min(url.find_first_of("/?", host), url.size());
  if (path == host) return Error{Code::kInvalid, "'" + Printable(url) + "' names no host"};
  // A name and password there would be shown in messages.
  if (url.substr(host, path - host).find('@') != std::string::npos) {
    return Error{Code::kInvalid, "the URL holds a name or password: use a header"};
  }
  Target target{url.substr(0, path), url.substr(path)};
  if (target.path.empty() || target.path == "/") target.path = default_path;
  if (target.path.front() != '/') target.path.insert(0, "/");
  return target;
}

// Gathers elements into requests and sends them.
class Sender {
 public:
  Sender(const SpanList& list, const SendOptions& options, Target target, aws::HttpSender& http,
         const Clock& clock)
      : list_(list),
        options_(options),
        target_(std::move(target)),
        credentials_(aws::NewStaticCredentials({})),
        service_(aws::NewService(ServiceOf(options, target_), http, *credentials_, clock)) {}

  Result<SendResult> Send(ElementReader& elements) {
    while (elements.Next()) {
      if (!Fits(elements)) TRY(Flush());
      body_ += spans_ == 0 ? list_.prefix : list_.separator;
      body_ += elements.text();
      spans_ += elements.rows().size();
    }
    if (spans_ > 0) TRY(Flush());
    result_.without_fields = elements.without_fields();
    return std::move(result_);
  }

 private:
  static aws::ServiceOptions ServiceOf(const SendOptions& options, const Target& target) {
    aws::ServiceOptions service;
    service.endpoint = target.endpoint;
    service.max_attempts = options.max_attempts;
    service.base_delay_ms = options.base_delay_ms;
    service.max_delay_ms = options.max_delay_ms;
    service.anonymous = true;
    service.pause = options.pause;
    return service;
  }

  // An element that is too large by itself is sent alone: only the receiver knows its limit.
  bool Fits(const ElementReader& elements) const {
    if (spans_ == 0) return true;
    const size_t more = list_.separator.size() + elements.text().size() + list_.suffix.size();
    return spans_ + elements.rows().size() <= list_.max_request_spans &&
           body_.size() + more <= list_.max_request_bytes;
  }

  Result<void> Flush() {
    body_ += list_.suffix;
    auto sent = Request();
    if (!sent) {
      return Error{sent.error().code, sent.error().message + "; " + FormatCount(result_.spans) +
                                          " spans had been taken before"};
    }
    body_.clear();
    spans_ = 0;
    return {};
  }

  Result<void> Request() {
    aws::ServiceCall call;
    call.method = "POST";
    call.target = target_.path;
    call.headers = options_.headers;
    call.headers.emplace_back("Content-Type", list_.content_type);
    if (options_.gzip) {
      ASSIGN_OR_RETURN(body_, Gzip(body_));
      call.headers.emplace_back("Content-Encoding", "gzip");
    }
    call.body = body_;
    call.deadlines.total_ms = options_.request_deadline_ms;
    call.max_answer_bytes = uint64_t{4} << 20;
    ASSIGN_OR_RETURN(const aws::ServiceAnswer answer, service_->Call(call));
    result_.retries += static_cast<uint64_t>(answer.attempts - 1);
    if (answer.http.status < 200 || answer.http.status >= 300) return Refused(answer.http);
    ++result_.requests;
    result_.bytes += body_.size();
    const Refusal refusal =
        list_.read_answer != nullptr ? list_.read_answer(answer.http.body, spans_) : Refusal();
    const uint64_t refused = std::min(refusal.spans, spans_);
    result_.spans += spans_ - refused;
    result_.refused += refused;
    if (result_.reason.empty()) result_.reason = Reason(refusal.reason);
    return {};
  }

  Error Refused(const aws::HttpAnswer& answer) const {
    std::string text = target_.endpoint + target_.path.substr(0, target_.path.find('?')) +
                       ": status " + std::to_string(answer.status);
    if (!answer.body.empty()) text += ", " + Reason(answer.body);
    if (answer.status == 401 || answer.status == 403) {
      text += "; give the key with --header-env or --header-file";
    }
    return Error{Code::kRemoteFailed, std::move(text)};
  }

  const SpanList& list_;
  const SendOptions& options_;
  const Target target_;
  const std::unique_ptr<aws::CredentialsProvider> credentials_;
  const std::unique_ptr<aws::Service> service_;
  std::string body_;
  uint64_t spans_ = 0;  // in body_
  SendResult result_;
};

struct Destination {
  const SpanList* list = nullptr;
  Target target;
};

Result<Destination> DestinationOf(const Format& format, const std::string& url) {
  const SpanList* list = FindSpanList(format.name);
  if (list == nullptr || list->content_type.empty()) {
    return Error{Code::kInvalid, std::string(format.name) +
                                     " can't be sent; otlp, otlp-json, zipkin and honeycomb can"};
  }
  ASSIGN_OR_RETURN(Target target, SplitUrl(url, list->path));
  return Destination{list, std::move(target)};
}

}  // namespace

Result<void> CheckSending(const Format& format, const std::string& url) {
  TRY(DestinationOf(format, url));
  return {};
}

Result<SendResult> SendSpans(const Format& format, const Selection& selection,
                             const ExportOptions& options, const SendOptions& send,
                             aws::HttpSender& sender, const Clock& clock) {
  ASSIGN_OR_RETURN(Destination to, DestinationOf(format, send.url));
  ElementReader elements(*to.list, selection, options);
  return Sender(*to.list, send, std::move(to.target), sender, clock).Send(elements);
}

Result<std::pair<std::string, std::string>> ParseHeader(std::string_view text) {
  const auto is_token = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  };
  const size_t end = text.find_first_of(":=");
  const std::string_view name = text.substr(0, std::min(end, text.size()));
  if (end == std::string_view::npos || name.empty() ||
      !std::all_of(name.begin(), name.end(), is_token)) {
    return Error{Code::kInvalid, "a header is written Name=value"};
  }
  std::string_view value = text.substr(end + 1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && std::string_view(" \t\r").find(value.back()) != value.npos) {
    value.remove_suffix(1);
  }
  for (const char c : value) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) {
      return Error{Code::kInvalid,
                   "the value of header " + std::string(name) + " holds a control character"};
    }
  }
  return std::pair(std::string(name), std::string(value));
}

}  // namespace llama::exports
