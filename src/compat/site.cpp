// SPDX-License-Identifier: Apache-2.0
#include "compat/site.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "api/docs.hpp"
#include "compat/cors.hpp"
#include "compat/python.hpp"

namespace unmask::compat {
namespace {

using Decorate = std::function<void(http::Response&)>;

/// Changes an answer on its way.
class DecoratingSink : public http::ResponseSink {
 public:
  DecoratingSink(http::Responder responder, Decorate decorate)
      : responder_(std::move(responder)), decorate_(std::move(decorate)) {}

  void Respond(http::Response response) override {
    decorate_(response);
    responder_.Send(std::move(response));
  }
  std::shared_ptr<http::BodyStream> Stream(http::Response head) override {
    decorate_(head);
    return responder_.Stream(std::move(head));
  }

 private:
  http::Responder responder_;
  Decorate decorate_;
};

http::Responder Decorated(http::Responder responder, Decorate decorate) {
  return http::Responder(std::make_unique<DecoratingSink>(std::move(responder), std::move(decorate)));
}

class DecoratedReceiver : public http::BodyReceiver {
 public:
  DecoratedReceiver(std::unique_ptr<http::BodyReceiver> inner, Decorate decorate)
      : inner_(std::move(inner)), decorate_(std::move(decorate)) {}

  Result<void> Write(std::string_view bytes) override { return inner_->Write(bytes); }
  void Finish(http::Responder responder) override {
    inner_->Finish(Decorated(std::move(responder), std::move(decorate_)));
  }

 private:
  std::unique_ptr<http::BodyReceiver> inner_;
  Decorate decorate_;
};

}  // namespace

struct Site::Manner {
  Framework framework;
  bool cors;
  Fault fault;
  std::map<std::string, std::string> allow;  ///< by path; the value of 405's Allow

  void AddCors(const http::Request& request, http::Response& response) const {
    if (!cors) return;
    if (framework == Framework::kFlask)
      AddFlaskCors(request, response);
    else
      AddStarletteCors(request, response);
  }

  /// The path may lie under a prefix.
  const std::string* AllowOf(const std::string& path) const {
    for (auto it = allow.rbegin(); it != allow.rend(); ++it)  // "/" fits every path that ends in it, so last
      if (path.ends_with(it->first)) return &it->second;
    return nullptr;
  }

  http::Response NotAllowed(const std::string& path) const {
    auto response =
        framework == Framework::kFlask ? WerkzeugPage(405) : FastApiDetail(405, "Method Not Allowed");
    if (const auto* methods = AllowOf(path)) response.headers.Set("Allow", *methods);
    return response;
  }

  /// Where Starlette sends a client whose path has a slash too many at its end.
  std::optional<std::string> WithoutSlash(const http::Request& request) const {
    if (framework != Framework::kFastApi || !request.path.ends_with('/')) return std::nullopt;
    const std::string path = request.path.substr(0, request.path.size() - 1);
    const bool known = std::any_of(allow.begin(), allow.end(), [&](const auto& route) {
      return route.first != "/" && path.ends_with(route.first);
    });
    if (!known) return std::nullopt;
    return request.raw_query.empty() ? path : path + "?" + request.raw_query;
  }

  http::Response Word(const Error& error, const http::Request& request) const {
    if (framework == Framework::kFastApi && cors && IsStarlettePreflight(request))
      return StarlettePreflight(request);
    http::Response response;
    if (const auto location = WithoutSlash(request); location && error.code == ErrorCode::kNotFound) {
      response = {.status = 307, .content_type = ""};
      response.headers.Set("Location", *location);
    } else if (error.code == ErrorCode::kNotFound) {
      response = framework == Framework::kFlask ? WerkzeugPage(404) : FastApiDetail(404, "Not Found");
    } else if (error.code == ErrorCode::kMethodNotAllowed) {
      response = NotAllowed(request.path);
    } else if (error.code == ErrorCode::kBadRequest) {
      response = framework == Framework::kFlask ? WerkzeugPage(400)
                                                : FastApiDetail(400, "There was an error parsing the body");
    } else {
      response = fault(error);
    }
    AddCors(request, response);
    return response;
  }
};

Site::Site(Framework framework, bool cors, Fault fault)
    : manner_(std::make_shared<Manner>(Manner{framework, cors, std::move(fault), {}})),
      router_(std::make_shared<http::Router>(
          [manner = manner_](const Error& error, const http::Request& request) {
            return manner->Word(error, request);
          })) {}

void Site::Get(const std::string& path, http::Handler handler, http::Route::Runs runs) {
  AddGet(path, std::move(handler), runs, {});
}

void Site::Get(const std::string& path, http::Handler handler, Guard guard) {
  AddGet(path, std::move(handler), http::Route::Runs::kOnPool, guard);
}

void Site::AddGet(const std::string& path, http::Handler handler, http::Route::Runs runs,
                  const Guard& guard) {
  const auto decorated = [manner = manner_, handler = std::move(handler), guard](
                             const http::RequestPtr& request, http::Responder responder) {
    const auto passed = guard ? guard(*request) : Result<void>();
    if (!passed) return responder.Send(manner->Word(passed.error(), *request));
    const auto cors = [manner, request](http::Response& response) { manner->AddCors(*request, response); };
    if (manner->framework == Framework::kFastApi && request->method == "HEAD") {
      auto response = manner->NotAllowed(request->path);
      cors(response);
      return responder.Send(std::move(response));
    }
    handler(request, Decorated(std::move(responder), cors));
  };
  router_->Get(path, decorated, runs);
  AddOptions(path, manner_->framework == Framework::kFlask ? "GET, HEAD, OPTIONS" : "GET",
             guard ? http::Route::Runs::kOnPool : http::Route::Runs::kInPlace, guard);
}

void Site::Page(const std::string& path, http::Response response) {
  router_->Get(
      path,
      [manner = manner_, response = std::move(response)](const http::RequestPtr& request,
                                                         const http::Responder& responder) {
        auto copy = response;
        manner->AddCors(*request, copy);
        responder.Send(std::move(copy));
      },
      http::Route::Runs::kInPlace);
  AddOptions(path, manner_->framework == Framework::kFlask ? "GET, HEAD, OPTIONS" : "GET, HEAD",
             http::Route::Runs::kInPlace, {});
}

void Site::Docs(const ContractContext& context) {
  if (!context.docs) return;
  const auto document = fmt::format("{}.openapi.json", ContractName(context.contract));
  for (auto& page : DocsPages(*context.docs, context.web / "compat" / document))
    Page(page.path, std::move(page.response));
}

void Site::Post(const std::string& path, std::uint64_t max_body, http::BodyHandler handler) {
  router_->Post(path, max_body,
                [manner = manner_, handler = std::move(handler)](
                    const http::RequestPtr& request) -> Result<std::unique_ptr<http::BodyReceiver>> {
                  auto receiver = handler(request);
                  if (!receiver) return receiver;
                  return std::make_unique<DecoratedReceiver>(
                      std::move(*receiver),
                      [manner, request](http::Response& response) { manner->AddCors(*request, response); });
                });
  AddOptions(path, manner_->framework == Framework::kFlask ? "POST, OPTIONS" : "POST",
             http::Route::Runs::kInPlace, {});
}

void Site::AddOptions(const std::string& path, const std::string& allow, http::Route::Runs runs,
                      const Guard& guard) {
  manner_->allow[path] = allow;
  const auto answer = [manner = manner_, allow, guard](const http::RequestPtr& request,
                                                       http::Responder responder) {
    const auto passed = guard ? guard(*request) : Result<void>();
    if (!passed) return responder.Send(manner->Word(passed.error(), *request));
    if (manner->framework == Framework::kFastApi && manner->cors && IsStarlettePreflight(*request))
      return responder.Send(StarlettePreflight(*request));
    http::Response response;
    if (manner->framework == Framework::kFlask) {
      response.content_type = "text/html; charset=utf-8";
      response.headers.Set("Allow", allow);
    } else {
      response = manner->NotAllowed(request->path);
    }
    manner->AddCors(*request, response);
    responder.Send(std::move(response));
  };
  router_->Add({.method = "OPTIONS", .path = path, .runs = runs, .handle = answer});
}

}  // namespace unmask::compat
