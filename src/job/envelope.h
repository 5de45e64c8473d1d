// Lambda's Invoke takes and gives JSON of at most 6 MB, and a job and its answer (job/job.h) are
// bytes of any size. An envelope carries the one in the other:
//
//   {"llama":1,"bytes":"<base64>"}                          the payload itself
//   {"llama":1,"key":"<store key>","sha256":"<64 hex>"}     an object of the store that holds it
//   {"llama":1,"ping":true}                                 requests only: who are you?
//
// and, in a request only, where the store is and how to answer:
//
//   {"llama":1, …, "store":"s3://bucket/prefix?region=…&endpoint=…", "max_answer":6000000}
//
// The local pool sends payloads bare: they begin with "ll", an envelope with '{'.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace llama::job {

// Of a synchronous invocation, request and answer alike (6 MB; AWS counts 6,291,556 bytes).
inline constexpr uint64_t kMaxEnvelopeBytes = 6'291'556;

// Keys of what is too large to travel with an invocation: jobs/<sha256>, answers/<random>. An
// answer that names an object elsewhere is refused, since its object is read and deleted.
inline constexpr std::string_view kJobPrefix = "jobs/";
inline constexpr std::string_view kAnswerPrefix = "answers/";

struct Envelope {
  std::string bytes = {};   // the payload, unless it is in the store
  std::string key = {};     // of the store's object that holds it; empty: it is in `bytes`
  std::string sha256 = {};  // of that object
  std::string store = {};   // where the store is, as LLAMA_OBJECT_STORE says it; requests only
  uint64_t max_answer = 0;  // bytes of the answer's envelope; larger ones go through the store
  bool ping = false;        // no payload: answered with a Pong
};

// Whether `payload` is to be read as an envelope: it is a JSON object.
bool IsEnvelope(std::string_view payload);
std::string EncodeEnvelope(const Envelope& envelope);
// The size of what EncodeEnvelope gives for that many bytes of payload.
uint64_t EnvelopeSize(const Envelope& without_bytes, uint64_t payload_bytes);
// kInvalid: not one of these, whatever JSON it is. Unknown members are ignored.
Result<Envelope> DecodeEnvelope(std::string_view text);

// A worker's answer to a ping.
struct Pong {
  std::string version;    // of llama
  std::string build;      // the worker's build id
  int64_t memory_mb = 0;  // what the function is given; 0: not in Lambda
  int64_t tmp_bytes = 0;  // free where it writes
  int64_t time_ms = 0;    // its clock, of the Unix epoch
};
std::string EncodePong(const Pong& pong);
Result<Pong> DecodePong(std::string_view text);

}  // namespace llama::job
