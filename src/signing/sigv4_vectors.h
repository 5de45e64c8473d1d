// The official test vectors of Signature Version 4, condensed: requests and what signing them must
// give, for "AKIDEXAMPLE" at 20150830T123600Z in us-east-1, of a service called "service". From
// aws-c-auth (tests/aws-signing-test-suite/v4), Copyright Amazon.com, Inc. or its affiliates,
// Apache License 2.0, http://www.apache.org/licenses/LICENSE-2.0.
#pragma once

#include <string_view>

namespace llama::signing {

struct SigV4Vector {
  std::string_view name;
  std::string_view request;        // as over the wire, but with bare line feeds
  bool is_normalised;              // false: the path is taken as S3 takes it
  bool is_body_signed;             // by a header x-amz-content-sha256
  std::string_view session_token;  // empty: none
  std::string_view signature;      // in the Authorization header
  std::string_view presigned;      // signature in the query, for an hour; empty: not tried
};

inline constexpr SigV4Vector kSigV4Vectors[] = {
    {"get-header-key-duplicate",
     "GET / "
     "HTTP/"
     "1.1\nHost:example.amazonaws.com\nMy-Header1:value2\nMy-Header1:value2\nMy-Header1:value1\n",
     true, false, "", "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea", ""},
    {"get-header-value-multiline",
     "GET / HTTP/1.1\nHost:example.amazonaws.com\nMy-Header1:value1\n  value2\n     value3\n", true,
     false, "", "cfd34249e4b1c8d6b91ef74165d41a32e5fab3306300901bb65a51a73575eefd", ""},
    {"get-header-value-order",
     "GET / "
     "HTTP/"
     "1.1\nHost:example.amazonaws.com\nMy-Header1:value4\nMy-Header1:value1\nMy-Header1:value3\nMy-"
     "Header1:value2\n",
     true, false, "", "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01", ""},
    {"get-header-value-trim",
     "GET / HTTP/1.1\nHost:example.amazonaws.com\nMy-Header1: value1\nMy-Header2: \"a   b   c\"\n",
     true, false, "", "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736", ""},
    {"get-relative-normalized", "GET /example/.. HTTP/1.1\nHost:example.amazonaws.com\n", true,
     false, "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
     "e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b7192d3865d"},
    {"get-relative-relative-normalized",
     "GET /example1/example2/../.. HTTP/1.1\nHost:example.amazonaws.com\n", true, false, "",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
     "e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b7192d3865d"},
    {"get-relative-relative-unnormalized",
     "GET /example1/example2/../.. HTTP/1.1\nHost:example.amazonaws.com\n", false, false, "",
     "dc33e0856fd4baca4d7aa2146c38958283844764f38c74252a333df5e613003b", ""},
    {"get-relative-unnormalized", "GET /example/.. HTTP/1.1\nHost:example.amazonaws.com\n", false,
     false, "", "eca7ead57bb5aa5c8e28007acd4ff04e1ff9a0ff3b237ec1554a184887ff9282", ""},
    {"get-slash-dot-slash-normalized", "GET /./ HTTP/1.1\nHost:example.amazonaws.com\n", true,
     false, "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
     "e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b7192d3865d"},
    {"get-slash-dot-slash-unnormalized", "GET /./ HTTP/1.1\nHost:example.amazonaws.com\n", false,
     false, "", "68714168e6557f8f2de0ef956fc24dc2593a4bd2961f8df51898d8a134695145", ""},
    {"get-slash-normalized", "GET // HTTP/1.1\nHost:example.amazonaws.com\n", true, false, "",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
     "e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b7192d3865d"},
    {"get-slash-pointless-dot-normalized", "GET /./example HTTP/1.1\nHost:example.amazonaws.com\n",
     true, false, "", "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5",
     "35034b1a0bdd969f346975386daf8aedfd4976573b8348cf4f67eaa41c5857de"},
    {"get-slash-pointless-dot-unnormalized",
     "GET /./example HTTP/1.1\nHost:example.amazonaws.com\n", false, false, "",
     "beb03f223f7deae4146464f06e29eebbee9c8afbe15c290cf07aa8b119e14cff", ""},
    {"get-slash-unnormalized", "GET // HTTP/1.1\nHost:example.amazonaws.com\n", false, false, "",
     "c88bcd3d312d75078c0cd961d6deae3f4c754924b01669efcfcb439fd5e5b76e", ""},
    {"get-slashes-normalized", "GET //example// HTTP/1.1\nHost:example.amazonaws.com\n", true,
     false, "", "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
     "c1834e8fb0307243711f0f907f6ab7311ed300d87f13792d7ee4da89ab93e082"},
    {"get-slashes-unnormalized", "GET //example// HTTP/1.1\nHost:example.amazonaws.com\n", false,
     false, "", "87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5", ""},
    {"get-space-normalized", "GET /example space/ HTTP/1.1\nHost:example.amazonaws.com\n", true,
     false, "", "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
     "7a1f416954786484c9824d93c1f26ef64acb9b1b6c9154d08c9f07d0e394abf6"},
    {"get-space-unnormalized", "GET /example space/ HTTP/1.1\nHost:example.amazonaws.com\n", false,
     false, "", "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741", ""},
    {"get-unreserved",
     "GET /-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz "
     "HTTP/1.1\nHost:example.amazonaws.com\n",
     true, false, "", "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
     "95968482db1b9e0fadef6efc1bd24689f77c77d9ef56919c96a28cc92e0d6005"},
    {"get-utf8", "GET /\341\210\264 HTTP/1.1\nHost:example.amazonaws.com\n", true, false, "",
     "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
     "10eae3f14a260bd3911cc6d008d3c576d143b05b62f09782a7a4b37f52178e44"},
    {"get-vanilla", "GET / HTTP/1.1\nHost:example.amazonaws.com\n", true, false, "",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
     "e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b7192d3865d"},
    {"get-vanilla-empty-query-key", "GET /?Param1=value1 HTTP/1.1\nHost:example.amazonaws.com\n",
     true, false, "", "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
     "49096700cbbaa5753443850f40df10f904fc2fdb544dc9512203cc77c471a9de"},
    {"get-vanilla-query", "GET / HTTP/1.1\nHost:example.amazonaws.com\n", true, false, "",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
     "e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b7192d3865d"},
    {"get-vanilla-query-order-encoded",
     "GET /?Param-3=Value3&Param=Value2&%E1%88%B4=Value1 HTTP/1.1\nHost:example.amazonaws.com\n",
     true, false, "", "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac",
     "c5f1848ceec943ac2ca68ee720460c23aaae30a2300586597ada94c4a65e4787"},
    {"get-vanilla-query-order-key-case",
     "GET /?Param2=value2&Param1=value1 HTTP/1.1\nHost:example.amazonaws.com\n", true, false, "",
     "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
     "86012e2c9ad4d77369f5d81c11f75158aae4f895a085212cc6d3f923d300bed5"},
    {"get-vanilla-query-unreserved",
     "GET "
     "/?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=-._~"
     "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz "
     "HTTP/1.1\nHost:example.amazonaws.com\n",
     true, false, "", "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
     "8e76a88a7433637b12778d5592799b29ad21ecd6cf6325051c21d86f0acda2bf"},
    {"get-vanilla-utf8-query", "GET /?\341\210\264=bar HTTP/1.1\nHost:example.amazonaws.com\n",
     true, false, "", "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
     "0bdd809b1519ac4f0c1dc3540e2cc46bd0c7f778eda408b2ebf3b913d21ff600"},
    {"get-vanilla-with-session-token", "GET / HTTP/1.1\nHost:example.amazonaws.com\n", true, false,
     "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267",
     "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
     "7ff2b50b376cb4d151970630573d6291dc128cc5c2a12ffb237f73cc53f67b6c"},
    {"post-header-key-case", "POST / HTTP/1.1\nHost:example.amazonaws.com\n", true, false, "",
     "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
     "2ce6e6d2e0cf2f9d1b55fafec88cd20574c31dc2e7631979f71ba2310083e95b"},
    {"post-header-key-sort", "POST / HTTP/1.1\nHost:example.amazonaws.com\nMy-Header1:value1\n",
     true, false, "", "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c", ""},
    {"post-header-value-case", "POST / HTTP/1.1\nHost:example.amazonaws.com\nMy-Header1:VALUE1\n",
     true, false, "", "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d", ""},
    {"post-sts-header-after", "POST / HTTP/1.1\nHost:example.amazonaws.com\n", true, false, "",
     "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
     "2ce6e6d2e0cf2f9d1b55fafec88cd20574c31dc2e7631979f71ba2310083e95b"},
    {"post-sts-header-before", "POST / HTTP/1.1\nHost:example.amazonaws.com\n", true, false,
     "AQoDYXdzEPT//////////"
     "wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthA"
     "x7mSEI/qkPpKPi/"
     "kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHN"
     "VXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+"
     "scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==",
     "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
     "46c2e3c63c1dbe7d39f8ada16fe7f001c1f56c5791441565323677f96308871c"},
    {"post-vanilla", "POST / HTTP/1.1\nHost:example.amazonaws.com\n", true, false, "",
     "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
     "2ce6e6d2e0cf2f9d1b55fafec88cd20574c31dc2e7631979f71ba2310083e95b"},
    {"post-vanilla-empty-query-value",
     "POST /?Param1=value1 HTTP/1.1\nHost:example.amazonaws.com\n", true, false, "",
     "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
     "a9ef26247f293bffe40eeff86a0480ba8c14d31503b2e0c3399e3a16bf1a3682"},
    {"post-vanilla-query", "POST /?Param1=value1 HTTP/1.1\nHost:example.amazonaws.com\n", true,
     false, "", "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
     "a9ef26247f293bffe40eeff86a0480ba8c14d31503b2e0c3399e3a16bf1a3682"},
    {"post-x-www-form-urlencoded",
     "POST / "
     "HTTP/1.1\nContent-Type:application/"
     "x-www-form-urlencoded\nHost:example.amazonaws.com\nContent-Length:13\n\nParam1=value1",
     true, true, "", "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b", ""},
    {"post-x-www-form-urlencoded-parameters",
     "POST / HTTP/1.1\nContent-Type:application/x-www-form-urlencoded; "
     "charset=utf-8\nHost:example.amazonaws.com\nContent-Length:13\n\nParam1=value1",
     true, true, "", "328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e7344e7f51422", ""},
};

}  // namespace llama::signing
