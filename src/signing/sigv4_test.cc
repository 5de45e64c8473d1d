#include "signing/sigv4.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>

#include "signing/canonical.h"
#include "signing/hash.h"
#include "signing/sigv4_vectors.h"

namespace llama::signing {
namespace {

constexpr int64_t kVectorTime = 1440938160;  // 20150830T123600Z
const Scope kVectorScope = {"us-east-1", "service"};
const Keys kVectorKeys = {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""};

// The examples of S3's own documentation (sig-v4-header-based-auth, sigv4-streaming and
// sigv4-streaming-trailers).
constexpr int64_t kS3Time = 1369353600;  // 20130524T000000Z
const Scope kS3Scope = {"us-east-1", "s3"};
const Keys kS3Keys = {"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""};

std::string HeaderOf(const Request& request, std::string_view lower_name) {
  return CanonicalHeader(request.headers, lower_name).value_or("");
}

std::string SignatureIn(const Request& request) {
  const std::string value = HeaderOf(request, "authorization");
  const size_t at = value.find("Signature=");
  return at == std::string::npos ? "" : value.substr(at + 10);
}

// A vector's request, whose header values may go over several lines.
Request ParseVector(const SigV4Vector& vector) {
  Request request;
  const std::string text(vector.request);
  const size_t head_end = text.find("\n\n");
  std::string head = text.substr(0, head_end);
  const std::string body = head_end == std::string::npos ? "" : text.substr(head_end + 2);
  size_t line_end = head.find('\n');
  const std::string first = head.substr(0, line_end);
  request.method = first.substr(0, first.find(' '));
  const size_t target = request.method.size() + 1;
  request.target = first.substr(target, first.rfind(" HTTP/") - target);
  while (line_end < head.size()) {
    const size_t start = line_end + 1;
    line_end = std::min(head.find('\n', start), head.size());
    const std::string line = head.substr(start, line_end - start);
    if (line.empty()) continue;
    if (line[0] == ' ') {
      request.headers.back().second += "\n" + line;
    } else {
      const size_t colon = line.find(':');
      request.headers.emplace_back(line.substr(0, colon), line.substr(colon + 1));
    }
  }
  request.payload_sha256 = Sha256Hex(vector.is_body_signed ? body : "");
  if (vector.is_body_signed) {
    request.headers.emplace_back("x-amz-content-sha256", request.payload_sha256);
  }
  return request;
}

TEST(SigV4, SignsTheOfficialVectors) {
  for (const SigV4Vector& vector : kSigV4Vectors) {
    Keys keys = kVectorKeys;
    keys.session_token = vector.session_token;
    Request request = ParseVector(vector);
    if (vector.is_normalised) {
      Sign(request, keys, kVectorScope, kVectorTime);
      EXPECT_EQ(SignatureIn(request), vector.signature) << vector.name;
      continue;
    }
    // No service but S3 takes paths as they are, and there the suite has none: its parts then.
    const std::string date = AmzDate(kVectorTime);
    request.headers.emplace_back("X-Amz-Date", date);
    const std::string canonical =
        CanonicalRequest(request.method, PathOf(request.target), true, {}, request.headers,
                         SignableHeaders(request.headers), request.payload_sha256);
    const std::string key = SigningKey(keys.secret_access_key, date, kVectorScope);
    EXPECT_EQ(SignatureOf(key, date, kVectorScope, canonical), vector.signature) << vector.name;
  }
}

TEST(SigV4, PresignsTheOfficialVectors) {
  int tried = 0;
  for (const SigV4Vector& vector : kSigV4Vectors) {
    if (vector.presigned.empty()) continue;
    ++tried;
    Keys keys = kVectorKeys;
    keys.session_token = vector.session_token;
    const Request request = ParseVector(vector);
    const std::string target = Presign(request.method, "example.amazonaws.com", request.target,
                                       keys, kVectorScope, kVectorTime, 3600);
    EXPECT_TRUE(target.ends_with("&X-Amz-Signature=" + std::string(vector.presigned)))
        << vector.name << ": " << target;
  }
  EXPECT_GT(tried, 15);
}

TEST(SigV4, AgreesWithTheExamplesOfS3) {
  struct Case {
    Request request;
    const char* signature;
  };
  Case cases[] = {
      {{"GET", "/test.txt", {{"Host", "examplebucket.s3.amazonaws.com"}, {"Range", "bytes=0-9"}}},
       "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
      {{"PUT",
        "/test%24file.text",
        {{"Host", "examplebucket.s3.amazonaws.com"},
         {"Date", "Fri, 24 May 2013 00:00:00 GMT"},
         {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
        Sha256Hex("Welcome to Amazon S3.")},
       "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
      {{"GET", "/?lifecycle", {{"Host", "examplebucket.s3.amazonaws.com"}}},
       "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
      {{"GET", "/?max-keys=2&prefix=J", {{"Host", "examplebucket.s3.amazonaws.com"}}},
       "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
  };
  for (Case& c : cases) {
    Sign(c.request, kS3Keys, kS3Scope, kS3Time);
    EXPECT_EQ(SignatureIn(c.request), c.signature) << c.request.target;
  }
  EXPECT_EQ(Presign("GET", "examplebucket.s3.amazonaws.com", "/test.txt", kS3Keys, kS3Scope,
                    kS3Time, 86400),
            "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F"
            "20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&"
            "X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature="
            "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

std::optional<Keys> FindS3Keys(const std::string& id) {
  if (id == kS3Keys.access_key_id) return kS3Keys;
  return std::nullopt;
}

Verification VerifyS3(const Request& request, int64_t now_s = kS3Time) {
  return Verify(request, kS3Scope, now_s, FindS3Keys);
}

Request ChunkedUpload(const std::string& payload_sha256, const Headers& more) {
  Request request = {"PUT",
                     "/examplebucket/chunkObject.txt",
                     {{"Host", "s3.amazonaws.com"},
                      {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
                      {"Content-Encoding", "aws-chunked"},
                      {"x-amz-decoded-content-length", "66560"}},
                     payload_sha256};
  request.headers.insert(request.headers.end(), more.begin(), more.end());
  return request;
}

TEST(SigV4, ChainsTheSignaturesOfChunks) {
  Request request =
      ChunkedUpload("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", {{"Content-Length", "66824"}});
  Sign(request, kS3Keys, kS3Scope, kS3Time);
  EXPECT_EQ(SignatureIn(request),
            "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
  const Verification seed = VerifyS3(request);
  ASSERT_EQ(seed.refusal, Refusal::kNone) << seed.detail;
  const std::string first = ChunkSignature(seed, seed.claim.signature, std::string(65536, 'a'));
  EXPECT_EQ(first, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648");
  const std::string second = ChunkSignature(seed, first, std::string(1024, 'a'));
  EXPECT_EQ(second, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497");
  EXPECT_EQ(ChunkSignature(seed, second, ""),
            "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9");
}

TEST(SigV4, ChainsTheSignatureOfATrailer) {
  Request request = ChunkedUpload("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
                                  {{"x-amz-trailer", "x-amz-checksum-crc32c"}});
  Sign(request, kS3Keys, kS3Scope, kS3Time);
  EXPECT_EQ(SignatureIn(request),
            "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e");
  const Verification seed = VerifyS3(request);
  ASSERT_EQ(seed.refusal, Refusal::kNone) << seed.detail;
  std::string last = ChunkSignature(seed, seed.claim.signature, std::string(65536, 'a'));
  EXPECT_EQ(last, "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2");
  last = ChunkSignature(seed, last, std::string(1024, 'a'));
  EXPECT_EQ(last, "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7");
  last = ChunkSignature(seed, last, "");
  EXPECT_EQ(last, "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992");
  EXPECT_EQ(TrailerSignature(seed, last, "x-amz-checksum-crc32c:sOO8/Q==\n"),
            "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435");
}

Request SignedPut() {
  Request request = {"PUT",
                     "/bucket/a%20key%2Bplus?partNumber=2&uploadId=x%3Dy&empty",
                     {{"Host", "s3.example:9000"},
                      {"Content-Type", "text/plain"},
                      {"User-Agent", "any"},
                      {"X-Amz-Meta-Two", "words and  spaces"}},
                     Sha256Hex("body")};
  Sign(request, kS3Keys, kS3Scope, kS3Time);
  return request;
}

// What a flipped bit leaves the same request: a header's name in another case, a percent-encoding's
// digit in another case.
bool IsCaseOfLetter(std::string_view text, size_t bit) {
  return bit % 8 == 5 && std::isalpha(static_cast<unsigned char>(text[bit / 8])) != 0;
}

TEST(Verify, AcceptsWhatSignMakes) {
  Request request = SignedPut();
  EXPECT_EQ(VerifyS3(request).refusal, Refusal::kNone) << VerifyS3(request).detail;
  EXPECT_EQ(VerifyS3(request).claim.payload_sha256, Sha256Hex("body"));
  // What proxies do.
  request.headers.emplace_back("Via", "1.1 proxy");
  request.headers[2].second = "another agent";
  request.headers[3].second = "  words and\tspaces ";
  request.target = "/bucket/a%20key%2bplus?uploadId=x=y&empty=&partNumber=2";
  EXPECT_EQ(VerifyS3(request).refusal, Refusal::kNone) << VerifyS3(request).detail;
}

TEST(Verify, RefusesEveryFlippedBit) {
  const Request good = SignedPut();
  const auto refused = [](const Request& request, const std::string& what) {
    EXPECT_NE(VerifyS3(request).refusal, Refusal::kNone) << what;
    EXPECT_TRUE(VerifyS3(request).signing_key.empty()) << what;
  };
  const auto flip = [](std::string& text, size_t bit) {
    text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << (bit % 8)));
  };
  for (size_t bit = 0; bit < 8 * good.method.size(); ++bit) {
    Request request = good;
    flip(request.method, bit);
    refused(request, "method " + request.method);
  }
  for (size_t bit = 0; bit < 8 * good.target.size(); ++bit) {
    Request request = good;
    flip(request.target, bit);
    const size_t at = bit / 8;
    const bool is_escape_digit =
        (at >= 1 && good.target[at - 1] == '%') || (at >= 2 && good.target[at - 2] == '%');
    if (is_escape_digit && IsCaseOfLetter(good.target, bit)) continue;
    refused(request, "target " + request.target);
  }
  for (size_t i = 0; i < good.headers.size(); ++i) {
    const auto& [name, value] = good.headers[i];
    if (name == "User-Agent") continue;
    for (size_t bit = 0; bit < 8 * value.size(); ++bit) {
      Request request = good;
      flip(request.headers[i].second, bit);
      refused(request, name + ": " + request.headers[i].second);
    }
    for (size_t bit = 0; bit < 8 * name.size(); ++bit) {
      Request request = good;
      flip(request.headers[i].first, bit);
      if (!IsCaseOfLetter(name, bit)) refused(request, request.headers[i].first);
    }
  }
}

TEST(Verify, RefusesEveryFlippedBitOfAPresignedTarget) {
  const std::string good =
      Presign("GET", "h", "/b/k?versionId=a%20b", kS3Keys, kS3Scope, kS3Time, 60);
  const auto verify = [](const std::string& target) {
    return VerifyS3({"GET", target, {{"Host", "h"}}}, kS3Time + 59);
  };
  ASSERT_EQ(verify(good).refusal, Refusal::kNone) << verify(good).detail;
  EXPECT_TRUE(verify(good).claim.presigned);
  EXPECT_EQ(verify(good).claim.expires_s, 60);
  for (size_t bit = 0; bit < 8 * good.size(); ++bit) {
    std::string target = good;
    target[bit / 8] = static_cast<char>(target[bit / 8] ^ (1 << (bit % 8)));
    const size_t at = bit / 8;
    const bool is_escape_digit =
        (at >= 1 && good[at - 1] == '%') || (at >= 2 && good[at - 2] == '%');
    if (is_escape_digit && IsCaseOfLetter(good, bit)) continue;
    EXPECT_NE(verify(target).refusal, Refusal::kNone) << target;
  }
}

TEST(Verify, SaysWhatIsWrong) {
  struct Case {
    const char* what;
    void (*change)(Request&);
    int64_t late_s;
    Refusal refusal;
  };
  const Case cases[] = {
      {"as it is", [](Request&) {}, 0, Refusal::kNone},
      {"a slow clock", [](Request&) {}, 14 * 60, Refusal::kNone},
      {"too old", [](Request&) {}, 16 * 60, Refusal::kSkewed},
      {"from the future", [](Request&) {}, -16 * 60, Refusal::kSkewed},
      {"no signature",
       [](Request& r) {
         std::erase_if(r.headers, [](auto& h) { return h.first == "Authorization"; });
       },
       0, Refusal::kMissing},
      {"another kind", [](Request& r) { r.headers.back().second = "Bearer x"; }, 0,
       Refusal::kMalformed},
      {"nothing in it", [](Request& r) { r.headers.back().second = "AWS4-HMAC-SHA256 "; }, 0,
       Refusal::kMalformed},
      {"no date",
       [](Request& r) {
         std::erase_if(r.headers, [](auto& h) { return h.first == "X-Amz-Date"; });
       },
       0, Refusal::kMalformed},
      {"an unsigned header of weight",
       [](Request& r) { r.headers.emplace_back("x-amz-acl", "public-read"); }, 0,
       Refusal::kMismatch},
      {"a second value", [](Request& r) { r.headers.emplace_back("host", "evil"); }, 0,
       Refusal::kMismatch},
      {"another region",
       [](Request& r) {
         Sign(r, kS3Keys, {"eu-west-1", "s3"}, kS3Time);
       },
       0, Refusal::kWrongScope},
      {"another service",
       [](Request& r) {
         Sign(r, kS3Keys, {"us-east-1", "lambda"}, kS3Time);
       },
       0, Refusal::kWrongScope},
      {"an unknown key",
       [](Request& r) {
         Sign(r, {"AKIDNOBODY", "x", ""}, kS3Scope, kS3Time);
       },
       0, Refusal::kUnknownKey},
      {"a wrong secret",
       [](Request& r) {
         Sign(r, {kS3Keys.access_key_id, "x", ""}, kS3Scope, kS3Time);
       },
       0, Refusal::kMismatch},
      {"a session token that is none",
       [](Request& r) {
         Keys keys = kS3Keys;
         keys.session_token = "token";
         Sign(r, keys, kS3Scope, kS3Time);
       },
       0, Refusal::kUnknownKey},
      {"a broken query", [](Request& r) { r.target += "&x=%zz"; }, 0, Refusal::kMalformed},
  };
  for (const Case& c : cases) {
    Request request = SignedPut();
    c.change(request);
    const Verification result = VerifyS3(request, kS3Time + c.late_s);
    EXPECT_EQ(result.refusal, c.refusal) << c.what << ": " << result.detail;
    EXPECT_EQ(result.detail.find(kS3Keys.secret_access_key), std::string::npos) << c.what;
  }
}

TEST(Verify, EndsPresignedRequestsInTime) {
  const std::string target = Presign("GET", "h", "/b/k", kS3Keys, kS3Scope, kS3Time, 3600);
  const Request request = {"GET", target, {{"Host", "h"}}};
  EXPECT_EQ(VerifyS3(request, kS3Time + 3600).refusal, Refusal::kNone);
  EXPECT_EQ(VerifyS3(request, kS3Time + 3601).refusal, Refusal::kExpired);
  EXPECT_EQ(VerifyS3(request, kS3Time - 16 * 60).refusal, Refusal::kSkewed);
  for (const char* expires : {"0", "604801", "-1", "1e3", ""}) {
    std::string odd = target;
    odd.replace(odd.find("Expires=3600"), 12, "Expires=" + std::string(expires));
    EXPECT_EQ(VerifyS3({"GET", odd, {{"Host", "h"}}}).refusal, Refusal::kMalformed) << expires;
  }
}

TEST(Verify, TakesTemporaryKeysWithTheirToken) {
  const Keys temporary = {"ASIA", "secret", "tok/en+="};
  const auto find = [&](const std::string&) { return std::optional(temporary); };
  Request request = {"GET", "/b", {{"Host", "h"}}};
  Sign(request, temporary, kS3Scope, kS3Time);
  EXPECT_EQ(Verify(request, kS3Scope, kS3Time, find).refusal, Refusal::kNone);
  const std::string target = Presign("GET", "h", "/b?x", temporary, kS3Scope, kS3Time, 60);
  EXPECT_EQ(Verify({"GET", target, {{"Host", "h"}}}, kS3Scope, kS3Time, find).refusal,
            Refusal::kNone);
}

TEST(Uri, EncodesAllButTheUnreserved) {
  EXPECT_EQ(UriEncode("a/b c~-._+=%\xe1\x88\xb4"), "a%2Fb%20c~-._%2B%3D%25%E1%88%B4");
  EXPECT_EQ(UriEncode("a/b", true), "a/b");
  std::string every;
  for (int i = 0; i < 256; ++i) every.push_back(static_cast<char>(i));
  EXPECT_EQ(*UriDecode(UriEncode(every)), every);
  EXPECT_EQ(*UriDecode("%41+"), "A+");
  for (const char* bad : {"%", "%4", "%4g", "x%", "%%41"}) {
    EXPECT_EQ(UriDecode(bad).error().code, Code::kInvalid) << bad;
  }
}

TEST(AmzDate, ReadsOnlyDatesThatAre) {
  EXPECT_EQ(AmzDate(kVectorTime), "20150830T123600Z");
  EXPECT_EQ(ParseAmzDate("20150830T123600Z"), kVectorTime);
  for (const char* bad : {"", "20150830T123600", "20150230T123600Z", "20150830T246000Z",
                          "20150830 123600Z", "2015083aT123600Z", "-0150830T123600Z"}) {
    EXPECT_FALSE(ParseAmzDate(bad)) << bad;
  }
}

// RFC 4231, cases 1, 2 and 6 (a key longer than a block).
TEST(Hmac, GivesTheStandardsResults) {
  EXPECT_EQ(Hex(HmacSha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(Hex(HmacSha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(Hex(HmacSha256(std::string(131, '\xaa'),
                           "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

}  // namespace
}  // namespace llama::signing
