// What comes over the daemon's socket: the first byte is a frame's type and the rest its body, or
// (if it is none) the stream of frames. What is read comes out the same when it is written and read
// again.
#include "base/fuzz.h"
#include "session/session.h"

namespace llama::session {
namespace {

template <typename Message>
void Check(const Result<Message>& message, Result<Message> (*decode)(std::string_view)) {
  if (!message) return;
  const std::string once = Encode(*message);
  const Result<Message> again = decode(once);
  CHECK(again.has_value() && Encode(*again) == once);
}

void ReadFrames(std::string_view bytes) {
  constexpr uint32_t kMaxBytes = 1 << 20;
  std::string buffer(bytes);
  std::string written;
  while (true) {
    const auto frame = TakeFrame(buffer, kMaxBytes);
    if (!frame || !*frame) break;
    CHECK((*frame)->body.size() < kMaxBytes);
    written += EncodeFrame((*frame)->type, (*frame)->body);
  }
  CHECK(written + buffer == bytes);
}

}  // namespace

FUZZ_TARGET(bytes) {
  const unsigned type = TakeByte(bytes);
  switch (static_cast<FrameType>(type)) {
    case FrameType::kHello:
      return Check(DecodeHello(bytes), DecodeHello);
    case FrameType::kWelcome:
      return Check(DecodeWelcome(bytes), DecodeWelcome);
    case FrameType::kRefuse:
      return Check(DecodeRefuse(bytes), DecodeRefuse);
    case FrameType::kCompile:
      return Check(DecodeCompile(bytes), DecodeCompile);
    case FrameType::kResult:
      return Check(DecodeCompileResult(bytes), DecodeCompileResult);
    case FrameType::kRunLocally:
      return Check(DecodeRunLocally(bytes), DecodeRunLocally);
    case FrameType::kDone:
      return Check(DecodeDone(bytes), DecodeDone);
    case FrameType::kStatus:
      return Check(DecodeStatusRequest(bytes), DecodeStatusRequest);
    case FrameType::kStatusReply:
      return Check(DecodeStatus(bytes), DecodeStatus);
    case FrameType::kBeginBuild:
      return Check(DecodeBeginBuild(bytes), DecodeBeginBuild);
    case FrameType::kEndBuild:
      return Check(DecodeEndBuild(bytes), DecodeEndBuild);
    case FrameType::kAck:
      return Check(DecodeAck(bytes), DecodeAck);
    case FrameType::kRunCommand:
      return Check(DecodeRunCommand(bytes), DecodeRunCommand);
    case FrameType::kCommandResult:
      return Check(DecodeCommandResult(bytes), DecodeCommandResult);
    default:
      ReadFrames(bytes);
  }
}

}  // namespace llama::session
