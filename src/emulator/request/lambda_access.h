// The refusal of a request that may not ask, in the words of the services that speak JSON (Lambda,
// Logs) and of those that answer queries in XML (STS, IAM).
#pragma once

#include <optional>
#include <string_view>

#include "emulator/request/authority.h"
#include "emulator/request/message.h"

namespace llama::emulator {

// nullopt: it may.
std::optional<Response> RefuseAsJson(const Access& access);
std::optional<Response> RefuseAsXml(const Access& access);

// <ErrorResponse><Error><Type/><Code/><Message/></Error></ErrorResponse>
Response QueryError(int status, std::string_view code, std::string_view message);

}  // namespace llama::emulator
