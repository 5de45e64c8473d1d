#include "emulator/lambda/front.h"

#include "emulator/request/lambda_access.h"
#include "emulator/request/lambda_error.h"
#include "emulator/request/text.h"

namespace llama::emulator {
namespace {

// Of an account that asked for nothing else.
constexpr int64_t kUsualConcurrency = 1000;

std::string_view NameOf(Isolation isolation) {
  switch (isolation) {
    case Isolation::kNamespaces:
      return "namespaces";
    case Isolation::kUserSpace:
      return "a user namespace";
    case Isolation::kNone:
      return "no namespaces";
  }
  return "";
}

Error UnknownOperation(const Request& request) {
  return LambdaError("UnknownOperationException",
                     "the emulator has no " + request.method + " " + request.path.substr(0, 200));
}

// The model's faults that take the place of an answer.
std::optional<Response> Fail(Fault fault) {
  switch (fault) {
    case Fault::kError500:
      return LambdaErrorResponse(LambdaError("ServiceException", "Internal error (of the model)"));
    case Fault::kSlowDown503:
      return LambdaErrorResponse(
          LambdaError("ServiceUnavailableException", "Service unavailable (of the model)"));
    case Fault::kThrottle429:
      return ThrottleResponse("CallerRateLimitExceeded");
    default:
      return std::nullopt;
  }
}

// A function by a path's or a tag's name, with the query's qualifier.
Result<FunctionName> NameIn(const std::string& text, const Request& request) {
  ASSIGN_OR_RETURN(FunctionName name, ParseFunctionName(text));
  const std::string* qualifier = request.Query("Qualifier");
  if (qualifier == nullptr || qualifier->empty()) return name;
  if (!name.qualifier.empty() && name.qualifier != *qualifier) {
    return InvalidParameter(
        "The derived qualifier from the function name does not match the "
        "specified qualifier.");
  }
  return ParseFunctionName(name.name + ":" + *qualifier);
}

}  // namespace

Result<std::unique_ptr<LambdaFront>> LambdaFront::Open(const LambdaOptions& options,
                                                       FetchObject fetch, Authority& authority,
                                                       Model& model, RequestLog& counters,
                                                       const Clock& clock) {
  std::unique_ptr<LambdaFront> front(new LambdaFront(authority, model, clock));
  LambdaPoolOptions pool;
  std::string why;
  pool.dir = options.dir + "/environments";
  pool.idle_ms = options.idle_ms;
  pool.world = {authority.region(), options.endpoint, options.ca_pem, ProbeIsolation(&why),
                options.bare_root};
  if (options.bare_root && pool.world.isolation == Isolation::kNone) {
    return Error{Code::kInvalid, "functions cannot have a bare root here: " + why};
  }
  front->world_ = pool.world;
  ASSIGN_OR_RETURN(front->registry_, FunctionRegistry::Open(options.dir, clock));
  ASSIGN_OR_RETURN(front->pool_,
                   LambdaPool::Start(pool, authority, model, counters, front->logs_, clock));
  LambdaPool* const environments = front->pool_.get();
  front->control_ = std::make_unique<LambdaControl>(
      *front->registry_, authority.region(), std::move(fetch),
      [environments](const std::string& function) { environments->Forget(function); },
      [&authority](const std::string& role) {
        const std::optional<RoleView> view = authority.RoleOf(role);
        return view ? view->id : std::string();
      });
  LambdaFront* const self = front.get();
  front->events_ = std::make_unique<EventQueue>(
      [self](const LambdaEvent& event) { return self->WorkOff(event); }, clock);
  return front;
}

LambdaFront::~LambdaFront() {
  Stop();
  events_.reset();
}

void LambdaFront::Stop() {
  if (events_) events_->Stop();
  if (pool_) pool_->Stop();
}

std::string LambdaFront::Confinement() const {
  return std::string(NameOf(world_.isolation)) + (world_.bare_root ? ", bare root" : "");
}

Response LambdaFront::Handle(const Request& request, const Exchange& exchange) {
  Response logged;
  const bool invocation = request.path.ends_with("/invocations");
  const Plan plan = model_.Draw("lambda", invocation ? "invoke" : "control");
  logged.plan = plan;
  logged.operation = "Unknown";
  const Access access = authority_.Check(request, "lambda");
  logged.worker = access.worker;
  Response response;
  if (std::optional<Response> refusal = RefuseAsJson(access)) {
    response = std::move(*refusal);
  } else if (std::optional<Response> failure = Fail(plan.fault)) {
    response = std::move(*failure);
  } else if (plan.fault != Fault::kResetBefore) {
    Result<Response> done = Route(request, exchange, access, logged);
    response = done ? std::move(done).value() : LambdaErrorResponse(done.error());
  }
  response.service = "lambda";
  response.operation = logged.operation;
  if (response.resource.empty()) response.resource = logged.resource;
  response.worker = logged.worker;
  response.plan = logged.plan;
  return response;
}

Result<Response> LambdaFront::Route(const Request& request, const Exchange& exchange,
                                    const Access& access, Response& logged) {
  ASSIGN_OR_RETURN(const std::vector<std::string> path, request.Segments());
  if (path.size() >= 3 && path[1] == "functions" && !path[2].empty()) {
    return RouteFunction(request, exchange, path, access, logged);
  }
  if (path.size() >= 2 && path[1] == "functions") {
    logged.operation = request.method == "POST" ? "CreateFunction" : "ListFunctions";
    if (request.body_too_large || request.body.size() > kMaxControlBytes) {
      return LambdaError("RequestEntityTooLargeException",
                         "Request must be smaller than " + std::to_string(kMaxControlBytes) +
                             " bytes for the CreateFunction operation");
    }
    TRY(CheckRole(request, access, {}, logged.operation));
    if (request.method == "POST") {
      TRY(CheckRoleOf(request));
      return control_->CreateFunction(request);
    }
    if (request.method == "GET") return control_->ListFunctions(request);
  }
  if (path.size() >= 2 && path[1] == "account-settings" && request.method == "GET") {
    logged.operation = "GetAccountSettings";
    TRY(CheckRole(request, access, {}, logged.operation));
    const auto limit = static_cast<int64_t>(model_.Number("lambda.concurrency"));
    const std::string most = std::to_string(limit > 0 ? limit : kUsualConcurrency);
    return LambdaJson(200, "{\"AccountLimit\":{\"ConcurrentExecutions\":" + most +
                               ",\"UnreservedConcurrentExecutions\":" + most + "}}");
  }
  if (path.size() == 3 && path[1] == "tags") {
    ASSIGN_OR_RETURN(const FunctionName name, ParseFunctionName(path[2]));
    logged.resource = name.name;
    logged.operation = request.method == "GET"    ? "ListTags"
                       : request.method == "POST" ? "TagResource"
                                                  : "UntagResource";
    TRY(CheckRole(request, access, name, logged.operation));
    if (request.method == "GET") return control_->ListTags(name);
    if (request.method == "POST") return control_->TagResource(name, request);
    if (request.method == "DELETE") return control_->UntagResource(name, request);
  }
  return UnknownOperation(request);
}

Result<Response> LambdaFront::RouteFunction(const Request& request, const Exchange& exchange,
                                            const std::vector<std::string>& path,
                                            const Access& access, Response& logged) {
  using Method = Result<Response> (*)(LambdaControl&, const FunctionName&, const Request&);
  struct Operation {
    std::string_view method;
    std::string_view below;  // the path after the function's name
    std::string_view name;
    Method run;
  };
#define RUN(call)                                                             \
  [](LambdaControl& control, const FunctionName& name, const Request& body) { \
    (void)body;                                                               \
    return control.call;                                                      \
  }
  static constexpr Operation kOperations[] = {
      {"GET", "", "GetFunction", RUN(GetFunction(name, true))},
      {"DELETE", "", "DeleteFunction", RUN(DeleteFunction(name))},
      {"GET", "configuration", "GetFunctionConfiguration", RUN(GetFunctionConfiguration(name))},
      {"PUT", "configuration", "UpdateFunctionConfiguration",
       RUN(UpdateFunctionConfiguration(name, body))},
      {"PUT", "code", "UpdateFunctionCode", RUN(UpdateFunctionCode(name, body))},
      {"POST", "versions", "PublishVersion", RUN(PublishVersion(name, body))},
      {"GET", "versions", "ListVersionsByFunction", RUN(ListVersions(name))},
      {"POST", "aliases", "CreateAlias", RUN(CreateAlias(name, body))},
      {"GET", "aliases", "ListAliases", RUN(ListAliases(name))},
      {"PUT", "concurrency", "PutFunctionConcurrency", RUN(PutConcurrency(name, body))},
      {"GET", "concurrency", "GetFunctionConcurrency", RUN(GetConcurrency(name))},
      {"DELETE", "concurrency", "DeleteFunctionConcurrency", RUN(DeleteConcurrency(name))},
  };
#undef RUN
  ASSIGN_OR_RETURN(const FunctionName name, NameIn(path[2], request));
  logged.resource = name.name;
  const std::string below = path.size() > 3 ? path[3] : "";
  if (below == "invocations" && path.size() == 4 && request.method == "POST") {
    logged.operation = "Invoke";
    TRY(CheckRole(request, access, name, logged.operation));
    return Invoke(request, exchange, name, logged);
  }
  if (request.body_too_large || request.body.size() > kMaxControlBytes) {
    return LambdaError(
        "RequestEntityTooLargeException",
        "Request must be smaller than " + std::to_string(kMaxControlBytes) + " bytes");
  }
  if (below == "aliases" && path.size() == 5) {
    logged.operation = request.method == "GET"   ? "GetAlias"
                       : request.method == "PUT" ? "UpdateAlias"
                                                 : "DeleteAlias";
    TRY(CheckRole(request, access, name, logged.operation));
    if (request.method == "GET") return control_->GetAlias(name, path[4]);
    if (request.method == "PUT") return control_->UpdateAlias(name, path[4], request);
    if (request.method == "DELETE") return control_->DeleteAlias(name, path[4]);
  }
  for (const Operation& operation : kOperations) {
    if (path.size() > 4 || operation.method != request.method || operation.below != below) continue;
    logged.operation = operation.name;
    TRY(CheckRole(request, access, name, operation.name));
    if (operation.name == "UpdateFunctionConfiguration") TRY(CheckRoleOf(request));
    if (operation.name == "GetFunction") {
      const std::string arn = FunctionArn(authority_.region(), name.name);
      return control_->GetFunction(name, authority_.MayDo(access, "lambda:ListTags", arn));
    }
    return operation.run(*control_, name, request);
  }
  return UnknownOperation(request);
}

}  // namespace llama::emulator
