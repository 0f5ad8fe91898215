// SPDX-License-Identifier: Apache-2.0
#include "socketio/caller.hpp"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "socketio/server.hpp"

namespace unmask::socketio {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using testing::HasSubstr;

class Echo : public SocketEvents {
 public:
  Echo(http::Timers& timers, std::shared_ptr<Socket> socket) : timers_(timers), socket_(std::move(socket)) {
    socket_->Emit("hello", ordered_json{{"b", 1}, {"a", "ü"}});
  }
  void OnEvent(Event event) override {
    if (event.name == "leave") return socket_->Disconnect(true);
    if (event.name == "silence") return;
    if (event.name == "later") {
      timer_ = timers_.After(1.5, [socket = socket_] { socket->Emit("late", nullptr); });
      return;
    }
    socket_->Emit("echo", ordered_json::array({event.name, event.arguments}));
    event.ack.Send(ordered_json::array({1, 2}));
  }

 private:
  http::Timers& timers_;
  const std::shared_ptr<Socket> socket_;
  std::shared_ptr<void> timer_;
};

class CallerTest : public testing::TestWithParam<Caller::Transport> {
 protected:
  CallerTest() {
    Options options;
    options.ping_interval = 0.05;
    options.ping_timeout = 1;
    server_ = Server::Create(options, *http_);
    server_->Namespace("/", [this](const std::shared_ptr<Socket>& socket, const json&) {
      return Result<std::unique_ptr<SocketEvents>>(std::make_unique<Echo>(*http_, socket));
    });
    const auto router = std::make_shared<http::Router>();
    server_->Mount(*router);
    const auto root = std::make_shared<http::Router>();
    root->Mount("/prefix", *router);
    url_ = "http://" + *http_->Listen("127.0.0.1:0", router);
    prefixed_ = "http://" + *http_->Listen("[::1]:0", root) + "/prefix/";
  }

  std::unique_ptr<Caller> Connect(const std::string& url) {
    auto caller = Caller::Connect(url, {.transport = GetParam(), .timeout = 20});
    EXPECT_TRUE(caller) << caller.error().message;
    return caller ? std::move(*caller) : nullptr;
  }

  std::unique_ptr<http::Server> http_ = http::Server::Create({});
  std::unique_ptr<Server> server_;
  std::string url_, prefixed_;
};

INSTANTIATE_TEST_SUITE_P(, CallerTest,
                         testing::Values(Caller::Transport::kPolling, Caller::Transport::kWebSocket),
                         [](const auto& info) {
                           return info.param == Caller::Transport::kPolling ? "Polling" : "WebSocket";
                         });

TEST_P(CallerTest, GivesEventsAndAnswersInTheServersOrder) {
  for (const auto& url : {url_, prefixed_}) {
    const auto caller = Connect(url);
    ASSERT_TRUE(caller);
    const auto hello = caller->Next();
    ASSERT_TRUE(hello) << hello.error().message;
    EXPECT_EQ(hello->event, "hello");
    EXPECT_EQ(hello->arguments, R"([{"b":1,"a":"ü"}])") << "the order of keys stays";
    const auto number = caller->Emit("question", ordered_json{{"x", 1.5}});
    ASSERT_TRUE(number);
    EXPECT_EQ(caller->Next()->arguments, R"(["question",[{"x":1.5}]])");
    const auto answer = caller->Next();
    EXPECT_EQ(answer->event, "");
    EXPECT_EQ(answer->ack, *number);
    EXPECT_EQ(answer->arguments, "[1,2]");
    caller->Close();
    while (server_->sessions() > 0) std::this_thread::yield();
  }
}

TEST_P(CallerTest, AnswersHeartbeatsWhileItWaits) {
  const auto caller = Connect(url_);
  ASSERT_TRUE(caller && caller->Next());
  ASSERT_TRUE(caller->Emit("later", nullptr));
  const auto got = caller->Next();  // many pings later, none of which may stay unanswered for long
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->event, "late");
}

TEST_P(CallerTest, SaysWhenTheServiceEndsTheSession) {
  const auto caller = Connect(url_);
  ASSERT_TRUE(caller->Emit("leave", nullptr));
  ASSERT_TRUE(caller->Next());
  const auto end = caller->Next();
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, ErrorCode::kUnreadable);
  EXPECT_FALSE(caller->Next());
}

TEST_P(CallerTest, GivesUpWhenTheServiceIsSilent) {
  Options quiet;  // heartbeats come later than the patience ends
  const auto server = Server::Create(quiet, *http_);
  server->Namespace("/", [this](const std::shared_ptr<Socket>& socket, const json&) {
    return Result<std::unique_ptr<SocketEvents>>(std::make_unique<Echo>(*http_, socket));
  });
  const auto router = std::make_shared<http::Router>();
  server->Mount(*router);
  const auto url = "http://" + *http_->Listen("127.0.0.1:0", router);
  auto caller = Caller::Connect(url, {.transport = GetParam(), .timeout = 0.2});
  ASSERT_TRUE(caller) << caller.error().message;
  ASSERT_TRUE((*caller)->Next());
  ASSERT_TRUE((*caller)->Emit("silence", nullptr));
  const auto end = (*caller)->Next();
  ASSERT_FALSE(end);
  EXPECT_THAT(end.error().message, HasSubstr("no answer in time"));
}

TEST_P(CallerTest, CanBeInterrupted) {
  std::stop_source stop;
  auto caller = Caller::Connect(url_, {.transport = GetParam(), .timeout = 60, .stop = stop.get_token()});
  ASSERT_TRUE(caller && (*caller)->Next());
  const auto later = http_->After(0.1, [&] { stop.request_stop(); });
  EXPECT_EQ((*caller)->Next().error().code, ErrorCode::kCancelled);
  EXPECT_EQ((*caller)->Next().error().code, ErrorCode::kUnreadable);
  EXPECT_EQ(Caller::Connect(url_, {.transport = GetParam(), .stop = stop.get_token()}).error().code,
            ErrorCode::kCancelled);
}

TEST_P(CallerTest, SaysWhatIsWrongWithTheService) {
  const auto router = std::make_shared<http::Router>();
  router->Get("/socket.io/", [](const http::RequestPtr&, const http::Responder& responder) {
    responder.Send(http::JsonResponse(200, "no engine"));
  });
  const auto other = "http://" + *http_->Listen("127.0.0.1:0", router);
  for (const auto& url : {other, other + "/none", std::string("http://127.0.0.1:1")}) {
    const auto caller = Caller::Connect(url, {.transport = GetParam(), .timeout = 5});
    ASSERT_FALSE(caller) << url;
    EXPECT_EQ(caller.error().code, ErrorCode::kUnreadable) << caller.error().message;
  }
  for (const auto* url : {"https://a", "http://", "http://:80", "http://a:b", "http://[::1", "a:80"})
    EXPECT_EQ(Caller::Connect(url, {.transport = GetParam()}).error().code, ErrorCode::kBadRequest) << url;
}

}  // namespace
}  // namespace unmask::socketio
