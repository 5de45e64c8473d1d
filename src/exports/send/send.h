// Sending a selection to a service that takes spans over HTTP: OTLP, Zipkin, Honeycomb. Requests of
// bounded size, one after the other; those that fail in passing are tried again by the policy of
// aws/service/service.h (backoff with jitter, Retry-After within bounds, a deadline).
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "aws/http/engine.h"
#include "base/clock.h"
#include "base/result.h"
#include "exports/formats/span_list.h"

namespace llama::exports {

struct SendOptions {
  std::string url;       // where the format's own path is added if it has none
  aws::Headers headers;  // as they are; never shown
  bool gzip = true;
  int max_attempts = 6;
  int64_t base_delay_ms = 500;
  int64_t max_delay_ms = 30'000;
  int64_t request_deadline_ms = 120'000;  // for one request, attempts and waiting together
  std::function<void(int64_t ms)> pause;  // between attempts; empty: sleeps
};

struct SendResult {
  uint64_t spans = 0;     // taken
  uint64_t refused = 0;   // by the receiver, one by one
  std::string reason;     // of the first that was; printable
  uint64_t requests = 0;  // that were answered
  uint64_t retries = 0;
  uint64_t bytes = 0;           // of bodies, as sent
  uint64_t without_fields = 0;  // spans that were too large with them
};

// kInvalid for a format that can't be sent or a URL that is none.
Result<void> CheckSending(const Format& format, const std::string& url);

// kInvalid as CheckSending. Stops at the first request that
// fails for good; the message says how much had been taken by then.
Result<SendResult> SendSpans(const Format& format, const Selection& selection,
                             const ExportOptions& options, const SendOptions& send,
                             aws::HttpSender& sender, const Clock& clock);

// "Name: value" or "Name=value".
Result<std::pair<std::string, std::string>> ParseHeader(std::string_view text);

}  // namespace llama::exports
