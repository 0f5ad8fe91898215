// SPDX-License-Identifier: Apache-2.0
#include "http/server.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "http/problem.hpp"
#include "http/test_client.hpp"

namespace unmask::http {
namespace {

using testing::HasSubstr;

/// Something that one thread sets and another awaits, once for each time.
class Event {
 public:
  void Set() {
    const std::lock_guard lock(mutex_);
    set_ = true;
    changed_.notify_all();
  }
  bool Await() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [this] { return std::exchange(set_, false); });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool set_ = false;
};

/// Answers with the size of the body.
class Counter : public BodyReceiver {
 public:
  Result<void> Write(std::string_view bytes) override {
    bytes_ += bytes.size();
    if (bytes.find("poison") != std::string_view::npos) return Fail(ErrorCode::kUnsupportedMedia, "poison");
    if (bytes.find("throw") != std::string_view::npos) throw std::runtime_error("thrown in Write");
    return {};
  }
  void Finish(Responder responder) override { responder.Send(JsonResponse(200, std::to_string(bytes_))); }

 private:
  std::size_t bytes_ = 0;
};

class CountingObserver : public Observer {
 public:
  void OnRequest(const std::string&, const std::string& route, int status, double, std::uint64_t) override {
    const std::lock_guard lock(mutex);
    seen.push_back(route + " " + std::to_string(status));
    changed.notify_all();
  }
  void OnUploadBegin() override { ++uploads; }
  void OnUploadEnd() override { --uploads; }
  bool Await(const std::string& line) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, std::chrono::seconds(20),
                            [&] { return std::find(seen.begin(), seen.end(), line) != seen.end(); });
  }
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> seen;
  std::atomic<int> uploads = 0;
};

constexpr std::uint64_t kMaxBody = 1 << 20;

class ServerTest : public testing::Test {
 protected:
  ServerTest() {
    router_ = std::make_shared<Router>();
    router_->Get(
        "/now",
        [](const RequestPtr& request, const Responder& responder) {
          responder.Send(JsonResponse(200, request->raw_query));
        },
        Route::Runs::kInPlace);
    router_->Get("/pool/{x}", [](const RequestPtr& request, const Responder& responder) {
      responder.Send(JsonResponse(200, request->params.at("x")));
    });
    router_->Get("/throw", [](const RequestPtr&, const Responder&) { throw std::runtime_error("thrown"); });
    router_->Get("/silent", [](const RequestPtr&, const Responder&) {});
    router_->Get("/big", [](const RequestPtr&, const Responder& responder) {
      responder.Send(JsonResponse(200, std::string(5'000'000, 'b')));
    });
    router_->Get("/park", [this](const RequestPtr& request, Responder responder) {
      const std::lock_guard lock(mutex_);
      gone_.emplace(request->gone, [this] { client_gone_.Set(); });
      parked_.emplace(std::move(responder));
      parked_event_.Set();
    });
    router_->Get("/stream", [this](const RequestPtr&, const Responder& responder) {
      stream_ = responder.Stream({.content_type = "text/plain"});
      parked_event_.Set();
    });
    router_->Post("/count", kMaxBody,
                  [this](const RequestPtr& request) -> Result<std::unique_ptr<BodyReceiver>> {
                    ++accepted_;
                    if (request->headers.Find("X-Refuse"))
                      return Fail(ErrorCode::kUnsupportedMedia, "refused early");
                    return std::make_unique<Counter>();
                  });
  }

  void Start(ServerOptions options = {}) {
    server_ = Server::Create(options, &observer_);
    address_ = *server_->Listen("127.0.0.1:0", router_);
  }

  void Unpark(Response response) {
    const std::lock_guard lock(mutex_);
    parked_->Send(std::move(response));
    parked_.reset();
  }

  CountingObserver observer_;
  std::shared_ptr<Router> router_;
  std::unique_ptr<Server> server_;
  std::string address_;
  std::mutex mutex_;
  std::optional<Responder> parked_;
  std::optional<std::stop_callback<std::function<void()>>> gone_;
  std::shared_ptr<BodyStream> stream_;
  Event parked_event_, client_gone_;
  std::atomic<int> accepted_ = 0;
};

TEST_F(ServerTest, AnswersOnTheNetworkThreadAndOnThePool) {
  Start();
  TestClient client(address_);
  EXPECT_EQ(client.Get("/now?a=b").body, "a=b");
  EXPECT_EQ(client.Get("/pool/7").body, "7");
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  Start();
  TestClient client(address_);
  std::string all;
  for (int i = 0; i < 50; ++i) {
    all += "GET /pool/" + std::to_string(i) + " HTTP/1.1\r\nHost: t\r\n\r\n";
    all += "POST /count HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc";
  }
  ASSERT_TRUE(client.Send(all));
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(client.Read().body, std::to_string(i));
    EXPECT_EQ(client.Read().body, "3");
  }
}

TEST_F(ServerTest, GivesHeadTheHeadersAlone) {
  Start();
  TestClient client(address_);
  client.Send("HEAD /now?abc HTTP/1.1\r\nHost: t\r\n\r\n");
  const auto head = client.Read(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.at("Content-Length"), "3");
  EXPECT_EQ(client.Get("/now").status, 200);
}

TEST_F(ServerTest, TellsAllowedMethods) {
  Start();
  TestClient client(address_);
  client.Send("DELETE /now HTTP/1.1\r\nHost: t\r\n\r\n");
  const auto refused = client.Read();
  EXPECT_EQ(refused.status, 405);
  EXPECT_EQ(refused.headers.at("Allow"), "GET, HEAD");
  client.Send("OPTIONS /count HTTP/1.1\r\nHost: t\r\n\r\n");
  const auto options = client.Read();
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(options.headers.at("Allow"), "POST");
  EXPECT_EQ(client.Get("/none").status, 404);
}

TEST_F(ServerTest, EndsTheConnectionWhenTheClientAsksForIt) {
  Start();
  TestClient client(address_);
  EXPECT_EQ(client.Get("/now", "Connection: close\r\n").headers.at("Connection"), "close");
  EXPECT_TRUE(client.IsClosedByServer());
  TestClient old(address_);
  old.Send("GET /now HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old.Read().status, 200);
  EXPECT_TRUE(old.IsClosedByServer());
}

TEST_F(ServerTest, TakesTheTraceIdOfTheClient) {
  Start();
  TestClient client(address_);
  const auto answer =
      client.Get("/none", "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n");
  EXPECT_EQ(answer.headers.at("X-Trace-Id"), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(nlohmann::json::parse(answer.body)["trace_id"], "0af7651916cd43dd8448eb211c80319c");
}

TEST_F(ServerTest, SendsAnswersLargerThanTheSocketTakes) {
  Start();
  TestClient client(address_);
  EXPECT_EQ(client.Get("/big").body.size(), 5'000'000u);
}

TEST_F(ServerTest, TurnsExceptionsAndSilenceIntoInternalErrors) {
  Start();
  TestClient client(address_);
  for (const auto* target : {"/throw", "/silent"}) {
    const auto answer = client.Get(target);
    EXPECT_EQ(answer.status, 500) << target;
    const auto problem = nlohmann::json::parse(answer.body);
    EXPECT_EQ(problem["code"], "internal");
    EXPECT_EQ(problem["trace_id"], answer.headers.at("X-Trace-Id"));
    EXPECT_THAT(answer.body, testing::Not(HasSubstr("thrown")));
  }
  EXPECT_EQ(client.Post("/count", "throw").status, 500);
}

// ---- bodies ----

TEST_F(ServerTest, StreamsABodyOfKnownLength) {
  Start();
  TestClient client(address_);
  EXPECT_EQ(client.Post("/count", std::string(1'000'000, 'x')).body, "1000000");
  EXPECT_EQ(client.Post("/count", "").body, "0");
  EXPECT_EQ(client.Post("/count", std::string(kMaxBody, 'x')).body, std::to_string(kMaxBody));
}

TEST_F(ServerTest, StreamsAChunkedBodyHoweverItIsSplit) {
  Start();
  TestClient client(address_);
  const std::string request =
      "POST /count HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5;x=y\r\nabcde\r\n3\r\nfgh\r\n0\r\nTrailer: 1\r\n\r\n";
  client.Send(request);
  EXPECT_EQ(client.Read().body, "8");
  for (const char c : request) client.Send(std::string(1, c));
  EXPECT_EQ(client.Read().body, "8");
}

TEST_F(ServerTest, RefusesALengthAboveTheLimitBeforeTheBodyComes) {
  Start();
  TestClient client(address_);
  client.Send("POST /count HTTP/1.1\r\nHost: t\r\nContent-Length: 1048577\r\n\r\n");
  const auto answer = client.Read();
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(answer.headers.at("Connection"), "close");
  EXPECT_EQ(accepted_, 0);
}

TEST_F(ServerTest, RefusesAChunkedBodyOnceItIsTooLargeAndTheClientSeesIt) {
  Start();
  TestClient client(address_);
  client.Send("POST /count HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n");
  const std::string chunk = "10000\r\n" + std::string(65536, 'x') + "\r\n";
  // Much more than socket buffers hold: without the drain, the client would get a reset instead of 413.
  for (int i = 0; i < 400; ++i) ASSERT_TRUE(client.Send(chunk)) << i;
  EXPECT_EQ(client.Read().status, 413);
}

TEST_F(ServerTest, AnswersAnErrorOfTheReceiverAtOnce) {
  Start();
  TestClient client(address_);
  client.Send("POST /count HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\npoison");
  const auto answer = client.Read();
  EXPECT_EQ(answer.status, 415);
  EXPECT_EQ(answer.headers.at("Connection"), "close");
}

TEST_F(ServerTest, Sends100ContinueOnlyWhenTheBodyIsWelcome) {
  Start();
  TestClient client(address_);
  client.Send("POST /count HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\nExpect: 100-Continue\r\n\r\n");
  EXPECT_EQ(client.Read(true).status, 100);
  client.Send("abc");
  EXPECT_EQ(client.Read().body, "3");

  client.Send(
      "POST /count HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\nExpect: 100-continue\r\nX-Refuse: 1\r\n\r\n");
  EXPECT_EQ(client.Read().status, 415);
}

TEST_F(ServerTest, RefusesOtherExpectations) {
  Start();
  EXPECT_EQ(TestClient(address_).Post("/count", "abc", "Expect: 200-ok\r\n").status, 417);
}

TEST_F(ServerTest, IgnoresASmallBodyWhereNoneIsWanted) {
  Start();
  TestClient client(address_);
  client.Send(
      "GET /pool/1 HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nbodyGET /pool/2 HTTP/1.1\r\nHost: "
      "t\r\n\r\n");
  EXPECT_EQ(client.Read().body, "1");
  EXPECT_EQ(client.Read().body, "2");
  client.Send("GET /pool/1 HTTP/1.1\r\nHost: t\r\nContent-Length: 100000\r\n\r\n");
  EXPECT_EQ(client.Read().status, 413);
}

TEST_F(ServerTest, ForgetsAnUploadWhoseClientLeaves) {
  Start();
  {
    TestClient client(address_);
    client.Send("POST /count HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\nabc");
    client.Reset();
  }
  EXPECT_TRUE(observer_.Await("/count 499"));
  EXPECT_EQ(observer_.uploads, 0);
}

// ---- bad clients ----

TEST_F(ServerTest, RefusesWhatIsNotHttp) {
  Start();
  for (const std::string bad :
       {"hello\r\n\r\n", "GET /now HTTP/2.0\r\nHost: t\r\n\r\n", "GET /now HTTP/1.1\r\n\r\n",
        "GET /now HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET now HTTP/1.1\r\nHost: t\r\n\r\n",
        "GET /now?%zz HTTP/1.1\r\nHost: t\r\n\r\n", "GET /now HTTP/1.1\r\nHost: t\r\nBad Header: x\r\n\r\n",
        "POST /count HTTP/1.1\r\nHost: t\r\nContent-Length: -1\r\n\r\n",
        "POST /count HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST /count HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /count HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        "POST /count HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "POST /count HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n"}) {
    TestClient client(address_);
    client.Send(bad);
    const auto answer = client.Read();
    EXPECT_EQ(answer.status, 400) << bad;
    EXPECT_TRUE(client.IsClosedByServer()) << bad;
  }
}

TEST_F(ServerTest, AcceptsTheAbsoluteForm) {
  Start();
  TestClient client(address_);
  EXPECT_EQ(client.Get("http://example.org/now?x").body, "x");
  EXPECT_EQ(client.Get("HTTP://example.org").status, 404);
}

TEST_F(ServerTest, RefusesAHeaderThatIsTooLong) {
  Start();
  TestClient client(address_);
  EXPECT_EQ(client.Get("/now", "X: " + std::string(20'000, 'x') + "\r\n").status, 431);
}

TEST_F(ServerTest, GivesUpAClientWhoseHeaderDoesNotCome) {
  Start({.header_timeout = 0.2});
  TestClient silent(address_), slow(address_);
  slow.Send("GET /now HTTP/1.1\r\nHo");
  EXPECT_TRUE(slow.IsClosedByServer());
  EXPECT_TRUE(silent.IsClosedByServer());
}

TEST_F(ServerTest, GivesUpAClientWhoseBodyTrickles) {
  Start({.progress_timeout = 0.5});
  TestClient client(address_);
  client.Send("POST /count HTTP/1.1\r\nHost: t\r\nContent-Length: 1000000\r\n\r\n");
  // A byte now and then is no progress: the server must end this although the client never stops sending.
  bool open = true;
  for (int i = 0; i < 400 && open; ++i) {
    open = client.Send("x");
    std::this_thread::sleep_for(std::chrono::milliseconds(25));
  }
  EXPECT_FALSE(open);
}

TEST_F(ServerTest, ClosesAConnectionThatIdles) {
  Start({.keep_alive_timeout = 0.2});
  TestClient client(address_);
  EXPECT_EQ(client.Get("/now").status, 200);
  EXPECT_TRUE(client.IsClosedByServer());
}

TEST_F(ServerTest, SaysOverloadedWhenAllConnectionsAreTakenButStillAnswersInPlace) {
  Start({.max_connections = 2});
  TestClient first(address_), second(address_);
  EXPECT_EQ(first.Get("/pool/1").status, 200);
  EXPECT_EQ(second.Get("/pool/1").status, 200);
  TestClient third(address_), fourth(address_);
  const auto refused = third.Get("/pool/1");
  EXPECT_EQ(refused.status, 503);
  EXPECT_TRUE(refused.headers.contains("Retry-After"));
  EXPECT_EQ(fourth.Get("/now").status, 200);
  EXPECT_EQ(first.Get("/pool/1").status, 200);
}

// ---- answers that come later ----

TEST_F(ServerTest, LetsManyAnswersWaitWithoutAThread) {
  Start({.handler_threads = 1});
  std::vector<Responder> waiting;
  Event all;
  router_->Get("/many", [&](const RequestPtr&, Responder responder) {
    const std::lock_guard lock(mutex_);
    waiting.push_back(std::move(responder));
    if (waiting.size() == 20) all.Set();
  });
  const auto address = *server_->Listen("127.0.0.1:0", router_);
  std::vector<TestClient> clients;
  for (int i = 0; i < 20; ++i) {
    clients.emplace_back(address);
    clients.back().Send("GET /many HTTP/1.1\r\nHost: t\r\n\r\n");
  }
  ASSERT_TRUE(all.Await());
  EXPECT_EQ(TestClient(address).Get("/pool/1").status, 200);
  for (auto& responder : waiting) responder.Send(JsonResponse(200, "late"));
  for (auto& client : clients) EXPECT_EQ(client.Read().body, "late");
  waiting.clear();
}

TEST_F(ServerTest, TakesOnlyTheFirstAnswer) {
  Start();
  TestClient client(address_);
  client.Send("GET /park HTTP/1.1\r\nHost: t\r\n\r\n");
  ASSERT_TRUE(parked_event_.Await());
  parked_->Send(JsonResponse(200, "first"));
  Unpark(JsonResponse(200, "second"));
  EXPECT_EQ(client.Read().body, "first");
  EXPECT_EQ(client.Get("/now?x").body, "x");
}

TEST_F(ServerTest, TellsTheHandlerWhenTheClientGoesAway) {
  Start();
  for (const bool reset : {false, true}) {
    TestClient client(address_);
    client.Send("GET /park HTTP/1.1\r\nHost: t\r\n\r\n");
    ASSERT_TRUE(parked_event_.Await());
    reset ? client.Reset() : client.Close();
    EXPECT_TRUE(client_gone_.Await());
    gone_.reset();
    Unpark({});
  }
}

TEST_F(ServerTest, TakesAPipelinedRequestForNoSignOfLeaving) {
  Start();
  TestClient client(address_);
  client.Send("GET /park HTTP/1.1\r\nHost: t\r\n\r\n");
  ASSERT_TRUE(parked_event_.Await());
  client.Send("GET /now?next HTTP/1.1\r\nHost: t\r\n\r\n");
  Unpark(JsonResponse(200, "parked"));
  EXPECT_EQ(client.Read().body, "parked");
  EXPECT_EQ(client.Read().body, "next");
}

TEST_F(ServerTest, StillAnswersAClientThatClosedItsSendingSide) {
  Start();
  TestClient client(address_);
  client.Send("GET /pool/1 HTTP/1.1\r\nHost: t\r\n\r\n");
  client.ShutdownSend();
  EXPECT_EQ(client.Read().body, "1");
}

TEST_F(ServerTest, StreamsAnAnswerUntilItsHandleGoes) {
  Start();
  TestClient client(address_);
  client.Send("GET /stream HTTP/1.1\r\nHost: t\r\n\r\n");
  ASSERT_TRUE(parked_event_.Await());
  EXPECT_TRUE(stream_->Write("one "));
  EXPECT_THAT(client.ReadUntil("one "), HasSubstr("Content-Type: text/plain\r\n"));
  EXPECT_TRUE(stream_->Write("two"));
  EXPECT_EQ(client.ReadUntil("two"), "two");
  stream_.reset();
  EXPECT_TRUE(client.IsClosedByServer());
  EXPECT_TRUE(observer_.Await("/stream 200"));
}

TEST_F(ServerTest, BreaksAStreamWhoseClientDoesNotRead) {
  Start();
  TestClient client(address_);
  client.Send("GET /stream HTTP/1.1\r\nHost: t\r\n\r\n");
  ASSERT_TRUE(parked_event_.Await());
  bool written = true;
  for (int i = 0; i < 1000 && written; ++i) written = stream_->Write(std::string(100'000, 'x'));
  EXPECT_FALSE(written);
}

// ---- timers, listeners, shutdown ----

TEST_F(ServerTest, CallsBackAfterATimeUnlessTheHandleGoes) {
  Start();
  Event late;
  std::atomic<bool> cancelled_called = false;
  const auto kept = server_->After(0.05, [&] { late.Set(); });
  server_->After(0.01, [&] { cancelled_called = true; }).reset();
  EXPECT_TRUE(late.Await());
  EXPECT_FALSE(cancelled_called);
}

TEST_F(ServerTest, ServesDifferentRoutesOnDifferentListeners) {
  Start();
  const auto other =
      std::make_shared<Router>([](const Error&, const Request&) { return JsonResponse(404, "other style"); });
  other->Get("/only", [](const RequestPtr&, const Responder& responder) {
    responder.Send(JsonResponse(200, "here"));
  });
  const auto address = *server_->Listen("127.0.0.1:0", other);
  EXPECT_EQ(TestClient(address).Get("/only").body, "here");
  EXPECT_EQ(TestClient(address).Get("/now").body, "other style");
  EXPECT_EQ(TestClient(address_).Get("/only").status, 404);
}

TEST_F(ServerTest, NamesAnAddressThatIsInUse) {
  Start();
  const auto again = server_->Listen(address_, router_);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kConflict);
  EXPECT_EQ(again.error().message, address_ + " is in use");
  EXPECT_EQ(again.error().hint, "stop the other program or choose another port with --listen");
}

TEST_F(ServerTest, RefusesMalformedAddresses) {
  Start();
  for (const auto* address : {"", "8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x",
                              "127.0.0.1:70000", "::1:8080", "[::1]", "example:80", "127.0.0.1:80 "})
    EXPECT_EQ(server_->Listen(address, router_).error().code, ErrorCode::kBadRequest) << address;
  EXPECT_FALSE(server_->Listen("192.0.2.1:0", router_));
}

TEST_F(ServerTest, LetsAnswersUnderWayEndWhenItStops) {
  Start();
  TestClient idle(address_), busy(address_);
  EXPECT_EQ(idle.Get("/now").status, 200);
  busy.Send("GET /park HTTP/1.1\r\nHost: t\r\n\r\n");
  ASSERT_TRUE(parked_event_.Await());
  server_->StopAccepting();
  EXPECT_TRUE(idle.IsClosedByServer());
  EXPECT_FALSE(server_->Drain(0.05));
  EXPECT_TRUE(busy.IsClosedByServer());
}

TEST_F(ServerTest, GivesTheLastAnswerWhileItStops) {
  Start();
  TestClient busy(address_);
  busy.Send("GET /park HTTP/1.1\r\nHost: t\r\n\r\n");
  ASSERT_TRUE(parked_event_.Await());
  server_->StopAccepting();
  Unpark(JsonResponse(200, "last"));
  const auto answer = busy.Read();
  EXPECT_EQ(answer.body, "last");
  EXPECT_EQ(answer.headers.at("Connection"), "close");
  busy.Close();
  EXPECT_TRUE(server_->Drain(20));
  EXPECT_EQ(server_->connections(), 0u);
}

TEST_F(ServerTest, MayGoWhileConnectionsAreOpen) {
  Start();
  TestClient idle(address_), uploading(address_), parked(address_);
  uploading.Send("POST /count HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\nabc");
  parked.Send("GET /park HTTP/1.1\r\nHost: t\r\n\r\n");
  ASSERT_TRUE(parked_event_.Await());
  server_.reset();
  parked_.reset();
  EXPECT_TRUE(idle.IsClosedByServer());
}

// ---- gates ----

TEST(Gate, StandsBeforeEveryRouteOfItsListenerAlone) {
  const auto router = std::make_shared<Router>();
  router->Get("/a", [](const RequestPtr&, const Responder& responder) {
    Response response{.body = "a"};
    response.headers.Set("X-Set", "by the route");
    responder.Send(std::move(response));
  });
  const auto styled = std::make_shared<Router>([](const Error& error, const Request&) {
    return Response{.status = 403, .body = "in its own words: " + error.message};
  });
  router->Mount("/styled", *styled);
  const auto server = Server::Create({});
  const Gate gate = [](const Request& request) -> Result<Headers> {
    if (request.headers.Find("X-Bad")) return Fail(ErrorCode::kForbidden, "refused by the gate");
    Headers granted;
    granted.Add("X-Set", "by the gate");
    granted.Add("X-Granted", "yes");
    return granted;
  };
  TestClient gated(*server->Listen("127.0.0.1:0", router, gate));
  TestClient open(*server->Listen("127.0.0.1:0", router));

  const auto passed = gated.Get("/a");
  EXPECT_EQ(passed.status, 200);
  EXPECT_EQ(passed.headers.at("X-Granted"), "yes");
  EXPECT_EQ(passed.headers.at("X-Set"), "by the route");
  EXPECT_EQ(gated.Get("/none").headers.at("X-Granted"), "yes");
  for (const auto* path : {"/a", "/none"}) {
    const auto refused = gated.Get(path, "X-Bad: 1\r\n");
    EXPECT_EQ(refused.status, 403) << path;
    EXPECT_THAT(refused.body, HasSubstr("refused by the gate"));
    EXPECT_EQ(refused.headers.count("X-Granted"), 0);
  }
  EXPECT_THAT(gated.Get("/a", "X-Bad: 1\r\n").body, HasSubstr("urn:unmask:problem:forbidden"));
  EXPECT_THAT(gated.Get("/styled/a", "X-Bad: 1\r\n").body, HasSubstr("urn:unmask:problem:forbidden"))
      << "the listener refuses, not the service under the prefix";
  TestClient at_root(*server->Listen("127.0.0.1:0", styled, gate));
  EXPECT_EQ(at_root.Get("/a", "X-Bad: 1\r\n").body, "in its own words: refused by the gate");
  const auto other = open.Get("/a", "X-Bad: 1\r\n");
  EXPECT_EQ(other.status, 200);
  EXPECT_EQ(other.headers.count("X-Granted"), 0);
}

}  // namespace
}  // namespace unmask::http
