// SPDX-License-Identifier: Apache-2.0
#include "socketio/server.hpp"

#include <condition_variable>
#include <mutex>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "http/test_client.hpp"
#include "socketio/serial_queue.hpp"

namespace unmask::socketio {
namespace {

using http::TestAnswer;
using http::TestClient;
using nlohmann::json;
using nlohmann::ordered_json;
using testing::AnyOf;
using testing::HasSubstr;
using testing::StartsWith;

const std::string kOpen = "/socket.io/?EIO=4&transport=polling";

/// Lines that handlers write and the test awaits.
class Log {
 public:
  void Add(std::string line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
    changed_.notify_all();
  }
  bool Await(const std::string& line) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20),
                             [&] { return std::find(lines_.begin(), lines_.end(), line) != lines_.end(); });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

class ServerTest : public testing::Test {
 protected:
  class Handler : public SocketEvents {
   public:
    Handler(Log& log, std::shared_ptr<Socket> socket) : log_(log), socket_(std::move(socket)) {}
    void OnEvent(Event event) override {
      log_.Add(event.name + " " + event.arguments.dump());
      if (event.name == "throw") throw std::runtime_error("thrown");
      if (event.name == "keep") kept_ = event.ack;
      if (event.name == "ack") {
        event.ack.Send("first");
        event.ack.Send("second");
      }
    }
    void OnDisconnect(std::string_view reason) override {
      log_.Add("left " + std::string(reason) + (socket_->gone().stop_requested() ? "" : " too early"));
      kept_.Send("too late");
      socket_->Emit("too late", nullptr);
    }

   private:
    Log& log_;
    std::shared_ptr<Socket> socket_;
    Ack kept_;
  };

  void Start(Options options = {}) {
    http_ = http::Server::Create({});
    sockets_ = Server::Create(std::move(options), *http_);
    sockets_->Namespace("/",
                        [this](const std::shared_ptr<Socket>& socket,
                               const json& auth) -> Result<std::unique_ptr<SocketEvents>> {
                          if (auth.is_object() && auth.contains("throw")) throw std::runtime_error("thrown");
                          socket_ = socket;
                          socket->Emit("hello", {{"auth", ordered_json(auth)}});
                          return std::make_unique<Handler>(log_, socket);
                        });
    auto router = std::make_shared<http::Router>();
    sockets_->Mount(*router);
    address_ = *http_->Listen("127.0.0.1:0", router);
  }

  /// The target of a new session's requests.
  std::string Open(TestClient& client) {
    const auto answer = client.Get(kOpen);
    EXPECT_EQ(answer.status, 200);
    return kOpen + "&sid=" + json::parse(answer.body.substr(1)).at("sid").get<std::string>();
  }

  /// Connected, with everything fetched that came with it.
  std::string Connect(TestClient& client) {
    auto session = Open(client);
    client.Post(session, "40");
    for (std::string got; got.find("hello") == std::string::npos;) got += client.Get(session).body;
    return session;
  }

  Log log_;
  std::unique_ptr<http::Server> http_;
  std::unique_ptr<Server> sockets_;
  std::shared_ptr<Socket> socket_;
  std::string address_;
};

TEST_F(ServerTest, SpeaksAsTheReferenceDoes) {
  Start();
  TestClient client(address_);
  EXPECT_THAT(
      client.Get(kOpen).body,
      HasSubstr(
          R"("upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000})"));
  EXPECT_EQ(client.Get(kOpen + "&sid=zzz").body, R"({"code":1,"message":"Session ID unknown"})");
  const auto session = Open(client);
  EXPECT_EQ(client.Post(session, "40/unknown").body, "ok");
  EXPECT_EQ(client.Get(session).body, R"(44/unknown,{"message":"Invalid namespace"})");
}

TEST_F(ServerTest, SpeaksAsPythonDoes) {
  Start({.dialect = Dialect::kPythonEngineIo});
  TestClient client(address_);
  const auto handshake = client.Get("/socket.io/?EIO=4");  // polling is what is meant
  EXPECT_THAT(
      handshake.body,
      HasSubstr(
          R"("upgrades":["websocket"],"pingTimeout":20000,"pingInterval":25000,"maxPayload":1000000})"));
  const auto refused = client.Get(kOpen + "&sid=zz%22z");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.headers.at("Content-Type"), "text/plain");
  EXPECT_EQ(refused.body, R"("Invalid session zz\"z")");
  EXPECT_EQ(client.Get("/socket.io/?EIO=3&transport=polling").body,
            R"("The client is using an unsupported version of the Socket.IO or Engine.IO protocols")");
  EXPECT_EQ(client.Get("/socket.io/?EIO=4&transport=abc").body, R"("Invalid transport")");
  EXPECT_EQ(client.Get("/socket.io/?EIO=4&transport=websocket").body, R"("Invalid websocket upgrade")");
  EXPECT_EQ(client.Post(kOpen, "40").body, R"("Invalid session None")");
  client.Send("PUT /socket.io/?EIO=4 HTTP/1.1\r\nHost: test\r\n\r\n");
  EXPECT_EQ(client.Read().status, 405);
  const auto session = Open(client);
  EXPECT_EQ(client.Post(session, "40/unknown").body, "OK");
  EXPECT_EQ(client.Get(session).body, R"(44/unknown,"Unable to connect")");
}

TEST_F(ServerTest, SendsWhatTheConnectHandlerEmitsAfterTheAcknowledgement) {
  Start();
  TestClient client(address_);
  const auto session = Open(client);
  client.Post(session, R"(40{"token":1})");
  const auto body = client.Get(session).body;
  EXPECT_THAT(body, StartsWith(R"(40{"sid":")"));
  EXPECT_THAT(body, HasSubstr("\x1e"
                              R"(42["hello",{"auth":{"token":1}}])"));
}

TEST_F(ServerTest, SendsWhatTheConnectHandlerEmitsAtOnceIfWished) {
  Start({.connect_ack_first = false});
  TestClient client(address_);
  const auto session = Open(client);
  client.Post(session, "40");
  std::string got = client.Get(session).body;
  if (got.find("sid") == std::string::npos) got += client.Get(session).body;
  EXPECT_THAT(got, StartsWith(R"(42["hello",{"auth":null}])"));
  EXPECT_THAT(got, HasSubstr(R"(40{"sid":")"));
}

TEST_F(ServerTest, HandlesEventsInOrderAndAnswersOnce) {
  Start();
  TestClient client(address_);
  const auto session = Connect(client);
  client.Post(session,
              "427[\"ack\",1]\x1e"
              R"(42["after"])");
  EXPECT_TRUE(log_.Await("ack [1]"));
  EXPECT_TRUE(log_.Await("after []"));
  EXPECT_EQ(client.Get(session).body, R"(437["first"])");
}

TEST_F(ServerTest, SurvivesHandlersThatThrow) {
  Start();
  TestClient client(address_);
  const auto refused = Open(client);
  client.Post(refused, R"(40{"throw":1})");
  EXPECT_EQ(client.Get(refused).body, R"(44{"message":"Internal error"})");
  const auto session = Connect(client);
  client.Post(session,
              "421[\"throw\"]\x1e"
              R"(422["ack"])");
  EXPECT_EQ(client.Get(session).body, R"(432["first"])");
}

TEST_F(ServerTest, TellsTheHandlerWhyTheClientLeft) {
  Start();
  TestClient client(address_);
  auto session = Connect(client);
  client.Post(session, R"(421["keep"])");
  client.Post(session, "1");
  EXPECT_TRUE(log_.Await("left transport close"));
  EXPECT_EQ(client.Get(session).status, 400);
}

TEST_F(ServerTest, AsksTheClientAndGivesUpAtDisconnection) {
  Start();
  TestClient client(address_);
  const auto session = Connect(client);
  socket_->EmitWithAck("question", ordered_json::array({1, 2}), 60, [this](const Result<json>& answer) {
    log_.Add(answer ? answer->dump() : answer.error().message);
  });
  EXPECT_EQ(client.Get(session).body, R"(420["question",1,2])");
  client.Post(session, "430[\"yes\"]");
  EXPECT_TRUE(log_.Await(R"(["yes"])"));
  const auto note = [this](const Result<json>& answer) {
    log_.Add(answer ? "answered" : answer.error().message);
  };
  socket_->EmitWithAck("question", nullptr, 60, note);
  client.Post(session, "41");
  EXPECT_TRUE(log_.Await("the client has gone"));
  socket_->EmitWithAck("question", nullptr, 60,
                       [this](const Result<json>& answer) { log_.Add(answer ? "" : "gone before"); });
  EXPECT_TRUE(log_.Await("gone before"));
}

TEST_F(ServerTest, LimitsSessions) {
  Start({.max_sessions = 3, .max_sessions_per_address = 2});
  TestClient client(address_);
  const auto first = Open(client);
  Open(client);
  const auto refused = client.Get(kOpen);
  EXPECT_EQ(refused.status, 429);
  EXPECT_TRUE(refused.headers.contains("Retry-After"));
  EXPECT_EQ(sockets_->sessions(), 2u);
  client.Post(first, "1");
  EXPECT_EQ(client.Get(kOpen).status, 200);
}

TEST_F(ServerTest, LimitsSessionsOfAllAddresses) {
  std::atomic<int> clients = 0;
  Start(
      {.max_sessions = 2, .client_address = [&](const http::Request&) { return std::to_string(++clients); }});
  TestClient client(address_);
  Open(client);
  Open(client);
  EXPECT_EQ(client.Get(kOpen).status, 503);
}

TEST_F(ServerTest, RefusesPagesOfOtherOrigins) {
  Start({.allowed_origins = {"https://good.example"}});
  TestClient client(address_);
  EXPECT_EQ(client.Get(kOpen, "Origin: https://evil.example\r\n").status, 403);
  const auto good = client.Get(kOpen, "Origin: https://good.example\r\n");
  EXPECT_EQ(good.status, 200);
  EXPECT_EQ(good.headers.at("Access-Control-Allow-Origin"), "https://good.example");
  EXPECT_EQ(client.Get(kOpen).status, 200);
}

TEST_F(ServerTest, LeavesCorsOutIfWished) {
  Start({.cors = false});
  TestClient client(address_);
  EXPECT_FALSE(
      client.Get(kOpen, "Origin: https://a.example\r\n").headers.contains("Access-Control-Allow-Origin"));
}

TEST_F(ServerTest, ClosesSessionsWithoutNamespace) {
  Start({.connect_timeout = 0.05});
  TestClient client(address_);
  const auto session = Open(client);
  EXPECT_EQ(client.Get(session).body, "1");
  EXPECT_EQ(client.Get(session).status, 400);
}

TEST_F(ServerTest, ShutsDownWhilePollsWait) {
  Start();
  TestClient client(address_), other(address_);
  const auto session = Connect(client);
  client.Send("GET " + session + " HTTP/1.1\r\nHost: test\r\n\r\n");
  while (other.Post(session, R"(42["knock"])").status != 200) {
  }
  EXPECT_TRUE(log_.Await("knock []"));
  sockets_->Shutdown();
  http_->StopAccepting();
  EXPECT_EQ(client.Read().body, "6");
  EXPECT_TRUE(http_->Drain(20));
  EXPECT_EQ(sockets_->sessions(), 0u);
  EXPECT_TRUE(log_.Await("left server shutting down"));
}

TEST_F(ServerTest, OpensNothingAfterShutdown) {
  Start();
  sockets_->Shutdown();
  TestClient client(address_);
  EXPECT_EQ(client.Get(kOpen).status, 503);
}

TEST_F(ServerTest, MayGoWhileClientsAreConnected) {
  Start();
  TestClient client(address_);
  const auto session = Connect(client);
  sockets_.reset();
  EXPECT_EQ(client.Get(session).status, 400);
  http_.reset();
  socket_->Emit("late", nullptr);
  socket_->Disconnect(true);
}

TEST_F(ServerTest, RefusesSenselessNamespaces) {
  const auto http = http::Server::Create({});
  const auto server = Server::Create({}, *http);
  server->Namespace("/", nullptr);
  EXPECT_THROW(server->Namespace("/", nullptr), std::logic_error);
  EXPECT_THROW(server->Namespace("chat", nullptr), std::logic_error);
  EXPECT_THROW(server->Namespace("/a,b", nullptr), std::logic_error);
}

TEST(Ack, DoesNothingWhenNoneIsWanted) {
  const Ack ack;
  EXPECT_FALSE(ack.wanted());
  ack.Send(1);
}

/// Refuses the first tasks, as a pool that is full.
class ReluctantPool : public http::Tasks {
 public:
  ReluctantPool(http::Server& http, int refusals) : http_(http), refusals_(refusals) {}
  bool Submit(std::function<void()> task) override {
    return refusals_-- <= 0 && http_.Submit(std::move(task));
  }

 private:
  http::Server& http_;
  std::atomic<int> refusals_;
};

TEST(SerialQueue, RunsTasksInOrderAlsoWhenThePoolWasFullOrATaskThrows) {
  Log log;
  std::string order;
  const auto http = http::Server::Create({.handler_threads = 4});
  ReluctantPool pool(*http, 2);
  const auto queue = std::make_shared<SerialQueue>(pool, *http);
  for (char c = 'a'; c <= 'z'; ++c)
    queue->Push([&order, c] {
      order += c;
      if (c == 'k') throw std::runtime_error("thrown");
    });
  queue->Push([&log] { log.Add("end"); });
  ASSERT_TRUE(log.Await("end"));
  EXPECT_EQ(order, "abcdefghijklmnopqrstuvwxyz");
}

}  // namespace
}  // namespace unmask::socketio
