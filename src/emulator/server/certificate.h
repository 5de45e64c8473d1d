// A certificate for an emulator that speaks TLS: self-signed, made when there is none, to be
// trusted by naming its file (AWS_CA_BUNDLE).
#pragma once

#include <string>

#include "base/result.h"

namespace llama::emulator {

// Makes `certificate_file` and `key_file` (0600), PEM: an EC key on P-256, for localhost,
// *.s3.localhost, *.localhost, 127.0.0.1, ::1 and `address`, valid for 10 years. Files that are
// there are left as they are.
Result<void> MakeCertificate(const std::string& certificate_file, const std::string& key_file,
                             const std::string& address);

}  // namespace llama::emulator
