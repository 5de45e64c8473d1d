// The places that credentials come from, one function each, in the order in which the chain
// (credentials.h) asks them. Stateless: each call looks anew, so that renewed files and variables
// are seen.
//
// kNotFound: that place is not set up here, the next one may be; any other error ends the search,
// as a place that is set up but broken is for the user to mend. No message holds a secret.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "aws/http/engine.h"
#include "aws/service/config_file.h"
#include "aws/service/credentials.h"
#include "base/clock.h"
#include "base/result.h"

namespace llama::aws {

struct CredentialContext {
  const ChainOptions& options;
  HttpSender& sender;
  const Clock& clock;
};

// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_CREDENTIAL_EXPIRATION.
Result<Credentials> CredentialsOfEnvironment(const CredentialContext& context);

// AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE, as Kubernetes sets them.
Result<Credentials> CredentialsOfWebIdentity(const CredentialContext& context);

// The profile's: role_arn with source_profile or credential_source or web_identity_token_file; keys
// in either file; credential_process; SSO. What llama can't do by itself (signing in, MFA) is an
// error that says what to do.
Result<Credentials> CredentialsOfProfile(const CredentialContext& context);

// Of a profile of `config` that has sso_session or sso_start_url: what the portal gives for the
// token that 'aws sso login' has left in ~/.aws/sso/cache. Renewing that token is left to the AWS
// CLI. Asked at AWS_ENDPOINT_URL_SSO if that is set. kInvalid: to sign in is for a person, see its
// message; kUnavailable: the portal does not answer.
Result<Credentials> CredentialsOfSso(const CredentialContext& context, const AwsConfig& config,
                                     const std::string& name);

// AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI: ECS, EKS Pod Identity, CloudShell.
Result<Credentials> CredentialsOfContainer(const CredentialContext& context);

// EC2's instance metadata, version 2 only. Off with AWS_EC2_METADATA_DISABLED=true; asked at
// AWS_EC2_METADATA_SERVICE_ENDPOINT if that is set, a second at most per request.
Result<Credentials> CredentialsOfInstance(const CredentialContext& context);

// Runs `credential_process`: split into words as a shell does, but by no shell.
Result<Credentials> CredentialsOfProcess(std::string_view command,
                                         const std::vector<std::string>& env,
                                         const std::string& source);

// Where the chain would find credentials, without asking anybody or running anything.
struct CredentialsPlace {
  std::string value;   // "keys …ABCD", "role arn:…"; empty: none
  std::string source;  // "environment: AWS_ACCESS_KEY_ID", "profile dev"
};
CredentialsPlace DescribeCredentials(const ChainOptions& options);

// {"AccessKeyId":…,"SecretAccessKey":…,"Token" or "SessionToken":…,"Expiration":…}; kInvalid with
// what is wrong, in the words of `source`, never with the text itself.
Result<Credentials> ParseCredentialsJson(std::string_view json, const std::string& source);

// Neither empty nor able to end a header early; kInvalid names what is wrong, not the value.
Result<void> CheckKeys(const signing::Keys& keys, const std::string& source);

}  // namespace llama::aws
