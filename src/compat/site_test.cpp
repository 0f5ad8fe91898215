// SPDX-License-Identifier: Apache-2.0
#include "compat/site.hpp"

#include <gtest/gtest.h>

#include "compat/cors.hpp"
#include "http/server.hpp"
#include "http/test_client.hpp"

namespace unmask::compat {
namespace {

using http::TestAnswer;
using http::TestClient;

class Discard : public http::BodyReceiver {
  Result<void> Write(std::string_view) override { return {}; }
  void Finish(http::Responder responder) override { responder.Send(http::JsonResponse(200, "{}")); }
};

/// A server with one site, and one client.
class SiteTest : public testing::Test {
 protected:
  TestClient& Start(Site::Framework framework, bool cors = true) {
    Site site(framework, cors, [](const Error& error) { return http::JsonResponse(500, error.message); });
    site.Get("/", [](const auto&, http::Responder responder) { responder.Send({.body = "home"}); });
    site.Post("/upload", 10, [](const auto&) { return std::make_unique<Discard>(); });
    site.Get("/fault", [](const auto&, http::Responder) { throw std::runtime_error("boom"); });
    auto routes = site.Finish();
    auto main = std::make_shared<http::Router>();
    main->Mount("/compat/x", *routes);
    own_.emplace(*server_->Listen("127.0.0.1:0", routes));
    mounted_.emplace(*server_->Listen("127.0.0.1:0", main));
    return *own_;
  }
  static TestAnswer Send(TestClient& client, const std::string& method, const std::string& path,
                         const std::string& headers = "") {
    client.Send(method + " " + path + " HTTP/1.1\r\nHost: t\r\n" + headers + "\r\n");
    return client.Read();
  }

  std::unique_ptr<http::Server> server_ = http::Server::Create({});
  std::optional<TestClient> own_, mounted_;
};

TEST_F(SiteTest, AnswersErrorsAsFlask) {
  auto& client = Start(Site::Framework::kFlask);
  const auto missing = Send(client, "GET", "/none");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.headers.at("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(missing.headers.at("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(missing.headers.at("Content-Length"), "207");
  const auto wrong = Send(client, "PUT", "/upload", "Origin: http://a\r\n");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.headers.at("Allow"), "POST, OPTIONS");
  EXPECT_EQ(wrong.headers.at("Access-Control-Allow-Origin"), "http://a");
  EXPECT_EQ(wrong.headers.at("Vary"), "Origin");
  EXPECT_EQ(Send(client, "POST", "/").headers.at("Allow"), "GET, HEAD, OPTIONS");
  const auto fault = Send(client, "GET", "/fault");
  EXPECT_EQ(fault.status, 500);
  EXPECT_EQ(fault.headers.at("Access-Control-Allow-Origin"), "*");
}

TEST_F(SiteTest, AnswersOptionsAsFlask) {
  auto& client = Start(Site::Framework::kFlask);
  const auto preflight = Send(client, "OPTIONS", "/upload",
                              "Origin: http://a\r\nAccess-Control-Request-Method: post\r\n"
                              "Access-Control-Request-Headers: x-b,  X-A\r\n");
  EXPECT_EQ(preflight.status, 200);
  EXPECT_EQ(preflight.body, "");
  EXPECT_EQ(preflight.headers.at("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(preflight.headers.at("Allow"), "POST, OPTIONS");
  EXPECT_EQ(preflight.headers.at("Access-Control-Allow-Origin"), "http://a");
  EXPECT_EQ(preflight.headers.at("Access-Control-Allow-Headers"), "X-A, x-b");
  EXPECT_EQ(preflight.headers.at("Access-Control-Allow-Methods"),
            "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT");
  EXPECT_EQ(preflight.headers.count("Access-Control-Allow-Credentials"), 0u);
  const auto plain = Send(client, "OPTIONS", "/");
  EXPECT_EQ(plain.headers.at("Allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(plain.headers.count("Access-Control-Allow-Methods"), 0u);
  EXPECT_EQ(Send(client, "OPTIONS", "/none").status, 404);
}

TEST_F(SiteTest, AnswersErrorsAsFastApi) {
  auto& client = Start(Site::Framework::kFastApi);
  const auto missing = Send(client, "GET", "/none");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.body, R"({"detail":"Not Found"})");
  EXPECT_EQ(missing.headers.count("Access-Control-Allow-Origin"), 0u);
  const auto wrong = Send(client, "GET", "/upload", "Origin: http://a\r\n");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.body, R"({"detail":"Method Not Allowed"})");
  EXPECT_EQ(wrong.headers.at("Allow"), "POST");
  EXPECT_EQ(wrong.headers.at("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(wrong.headers.at("Access-Control-Allow-Credentials"), "true");
  client.Send("HEAD / HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_EQ(client.Read(true).status, 405);
  EXPECT_EQ(Send(client, "OPTIONS", "/upload").status, 405);
}

TEST_F(SiteTest, AnswersAPreflightAsStarletteWhateverItsPath) {
  auto& client = Start(Site::Framework::kFastApi);
  for (const char* path : {"/upload", "/none"}) {
    const auto answer = Send(client, "OPTIONS", path,
                             "Origin: http://a\r\nAccess-Control-Request-Method: POST\r\n"
                             "Access-Control-Request-Headers: X-B, a\r\n");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "OK");
    EXPECT_EQ(answer.headers.at("Content-Type"), "text/plain; charset=utf-8");
    EXPECT_EQ(answer.headers.at("Access-Control-Allow-Origin"), "http://a");
    EXPECT_EQ(answer.headers.at("Access-Control-Allow-Credentials"), "true");
    EXPECT_EQ(answer.headers.at("Access-Control-Allow-Headers"), "X-B, a");
    EXPECT_EQ(answer.headers.at("Access-Control-Max-Age"), "600");
  }
  const auto cookie = Send(client, "GET", "/", "Origin: http://a\r\nCookie: a=b\r\n");
  EXPECT_EQ(cookie.headers.at("Access-Control-Allow-Origin"), "http://a");
  EXPECT_EQ(cookie.headers.at("Vary"), "Origin");
}

TEST_F(SiteTest, AnswersTheSameUnderAPrefix) {
  Start(Site::Framework::kFlask);
  EXPECT_EQ(Send(*mounted_, "GET", "/compat/x/").body, "home");
  EXPECT_EQ(Send(*mounted_, "GET", "/compat/x/none").headers.at("Content-Length"), "207");
  EXPECT_EQ(Send(*mounted_, "GET", "/compat/x/upload").headers.at("Allow"), "POST, OPTIONS");
  EXPECT_EQ(Send(*mounted_, "GET", "/none").headers.at("Content-Type"), "application/problem+json");
}

TEST_F(SiteTest, WordsTheServersOwnErrors) {
  auto& client = Start(Site::Framework::kFlask);
  const auto large = client.Post("/upload", "more than ten bytes");
  EXPECT_EQ(large.status, 500);
  EXPECT_EQ(large.headers.at("Access-Control-Allow-Origin"), "*");
}

TEST_F(SiteTest, AnswersWhatIsNoRequestWith400) {
  auto& client = Start(Site::Framework::kFlask);
  EXPECT_EQ(Send(client, "GET", "/%zz").status, 400);
}

TEST_F(SiteTest, AddsNoCorsWhereThereIsNone) {
  auto& client = Start(Site::Framework::kFlask, false);
  EXPECT_EQ(Send(client, "GET", "/", "Origin: http://a\r\n").headers.count("Access-Control-Allow-Origin"),
            0u);
  EXPECT_EQ(Send(client, "GET", "/none").headers.count("Access-Control-Allow-Origin"), 0u);
}

}  // namespace
}  // namespace unmask::compat
