// The IAM policies of a deployment, least privilege each: who may be the role, what the role may
// do, and what a user needs. JSON texts; pure functions.
#pragma once

#include <string>
#include <string_view>

namespace llama::aws {

struct PolicyScope {
  std::string region;
  std::string account;  // "*" where it is not known
  std::string bucket;
  std::string prefix;    // of keys; "" or ends with '/'
  std::string function;  // its bare name
  std::string role;      // its bare name; empty: the user brings one
};

// "aws", "aws-cn", "aws-us-gov".
std::string_view PartitionOf(std::string_view region);
std::string LogGroupOf(std::string_view function);  // "/aws/lambda/<function>"

// Lambda may become the role.
std::string TrustPolicy();
// Of the role: read and write objects, write its log.
std::string WorkerPolicy(const PolicyScope& scope);
// Of a user: statement by statement, to build with it, and to set it up and take it down.
std::string UserPolicy(const PolicyScope& scope);

}  // namespace llama::aws
