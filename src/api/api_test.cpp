// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/fake_analyzer.hpp"
#include "api/routes.hpp"
#include "api/serve.hpp"
#include "http/test_client.hpp"

namespace unmask {
namespace {

using http::TestAnswer;
using http::TestClient;
using nlohmann::ordered_json;
using testing::ElementsAre;
using testing::HasSubstr;

/// The whole server with an analyzer that obeys the test.
class ApiTest : public testing::Test {
 protected:
  ~ApiTest() override {
    analyzer_.Open();
    client_.reset();
    Stop();
  }

  void Start(ServeOptions options = {}) {
    options.listen = "127.0.0.1:0";
    options.web = UNMASK_SOURCE_DIR "/web";
    if (options.jobs == 0) options.jobs = 1;
    std::promise<std::string> listening;
    auto url = listening.get_future();
    thread_ = std::thread([this, options, listening = std::move(listening)]() mutable {
      result_ = RunServer(options, analyzer_, stop_.get_token(),
                          [&](const std::string& u) { listening.set_value(u); });
    });
    address_ = url.get().substr(7);
    client_.emplace(address_);
  }

  void Stop() {
    stop_.request_stop();
    if (thread_.joinable()) thread_.join();
  }

  TestAnswer PostRaw(TestClient& client, const std::string& query, const std::string& body = "media") {
    return client.Post("/v1/analyses" + query, body, "Content-Type: application/octet-stream\r\n");
  }
  void SendRaw(TestClient& client, const std::string& query) {
    client.Send("POST /v1/analyses" + query +
                " HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: 5\r\n\r\nmedia");
  }
  TestAnswer PostForm(const std::string& parts, const std::string& query = "") {
    return client_->Post("/v1/analyses" + query, parts, "Content-Type: multipart/form-data; boundary=XX\r\n");
  }
  static std::string FilePart(const std::string& content, const std::string& filename = "clip.mp4") {
    return "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + filename +
           "\"\r\nContent-Type: video/mp4\r\n\r\n" + content + "\r\n";
  }
  static ordered_json Parse(const TestAnswer& answer) { return ordered_json::parse(answer.body); }
  static std::string Code(const TestAnswer& answer) {
    EXPECT_EQ(answer.headers.at("Content-Type"), "application/problem+json");
    return Parse(answer)["code"];
  }
  /// An analysis that has begun and waits for the gate.
  std::string StartOne() {
    const auto answer = PostRaw(*client_, "?wait=0");
    EXPECT_EQ(answer.status, 202);
    analyzer_.AwaitStarted(++started_);
    return Parse(answer)["id"];
  }
  std::string StateOf(const std::string& id) { return Parse(client_->Get("/v1/analyses/" + id))["state"]; }

  FakeAnalyzer analyzer_;
  std::stop_source stop_;
  std::thread thread_;
  Result<void> result_;
  std::string address_;
  std::optional<TestClient> client_;
  int started_ = 0;
};

// ---- uploads ----

TEST_F(ApiTest, AnswersAFormUploadWithTheAnalysis) {
  Start();
  const auto answer = PostForm(FilePart("bytes of\r\nmedia") + "--XX--\r\n");
  ASSERT_EQ(answer.status, 200) << answer.body;
  const auto analysis = Parse(answer);
  std::vector<std::string> keys;
  for (const auto& [key, value] : analysis.items()) keys.push_back(key);
  EXPECT_THAT(keys, ElementsAre("id", "state", "progress", "created", "finished", "report", "error"));
  EXPECT_EQ(analysis["state"], "done");
  EXPECT_EQ(analysis["progress"], 1.0);
  EXPECT_EQ(analysis["error"], nullptr);
  EXPECT_THAT(std::string(analysis["finished"]), testing::MatchesRegex("....-..-..T..:..:..\\....Z"));
  EXPECT_EQ(analysis["report"]["media"]["name"], "clip.mp4");
  EXPECT_FALSE(analysis["report"].contains("faces"));
  EXPECT_EQ(analyzer_.last_content, "bytes of\r\nmedia");
}

TEST_F(ApiTest, TakesARawBodyWithItsOptions) {
  Start();
  const auto answer = PostRaw(
      *client_, "?fps=4.5&max_frames=7&mode=keyframes&stability=off&include=faces&name=my%20clip&wait=20");
  ASSERT_EQ(answer.status, 200) << answer.body;
  const auto report = Parse(answer)["report"];
  EXPECT_EQ(report["media"]["name"], "my clip");
  EXPECT_EQ(report["faces"].size(), 3u);
  EXPECT_EQ(analyzer_.last_options.fps, 4.5);
  EXPECT_EQ(analyzer_.last_options.max_frames, 7);
  EXPECT_EQ(analyzer_.last_options.mode, SampleMode::kKeyframes);
  EXPECT_FALSE(analyzer_.last_options.stability);
}

TEST_F(ApiTest, NeverUsesTheFileNameAsAPath) {
  Start();
  const auto name = [&](const std::string& given) -> std::string {
    return Parse(PostForm(FilePart("x", given) + "--XX--"))["report"]["media"]["name"];
  };
  EXPECT_EQ(name("../../etc/passwd"), "passwd");
  EXPECT_EQ(name("C:\\\\clips\\\\a.mp4"), "a.mp4");
  EXPECT_EQ(name("a\tb\x1f.mp4"), "a b .mp4");
  EXPECT_EQ(name(""), "upload");
  EXPECT_EQ(name(std::string(300, 'n')).size(), 255u);
}

TEST_F(ApiTest, RefusesFormsThatAreNotOneFile) {
  Start();
  const auto file = FilePart("x");
  const std::string field = "--XX\r\nContent-Disposition: form-data; name=\"fps\"\r\n\r\n4\r\n";
  for (const auto& form : {file + file + "--XX--", field + file + "--XX--", std::string("--XX--"), file,
                           std::string("nothing"), std::string("--YY\r\n"), std::string()}) {
    const auto answer = PostForm(form);
    EXPECT_EQ(answer.status, 400) << form;
    EXPECT_EQ(Code(answer), "bad_request") << form;
    client_.emplace(address_);
  }
  EXPECT_THAT(PostForm(field + file + "--XX--").body, HasSubstr("options go into the query"));
}

TEST_F(ApiTest, CallsAnEmptyFileUndecodable) {
  Start();
  EXPECT_EQ(Code(PostForm(FilePart("") + "--XX--")), "undecodable");
  EXPECT_EQ(Code(PostRaw(*client_, "", "")), "undecodable");
}

TEST_F(ApiTest, RefusesContentTypesThatAreNoMedia) {
  Start();
  for (const std::string headers :
       {"", "Content-Type: application/x-www-form-urlencoded\r\n", "Content-Type: text/plain\r\n",
        "Content-Type: application/octet-stream\r\nContent-Encoding: gzip\r\n"}) {
    TestClient client(address_);
    const auto answer = client.Post("/v1/analyses", "x", headers);
    EXPECT_EQ(answer.status, 415) << headers;
    EXPECT_EQ(Code(answer), "unsupported_media");
  }
}

TEST_F(ApiTest, NamesTheQueryParameterThatIsWrong) {
  Start();
  for (const auto& [query, message] : std::vector<std::pair<std::string, std::string>>{
           {"?fps=0", "fps must be a number between 0.01 and 60, found '0'"},
           {"?fps=2x", "fps must be a number between 0.01 and 60, found '2x'"},
           {"?max_frames=5000", "max_frames must be a whole number between 1 and 4096, found '5000'"},
           {"?mode=all", "mode must be fps or keyframes, found 'all'"},
           {"?stability=yes", "stability must be on or off, found 'yes'"},
           {"?include=all", "include must be faces, found 'all'"},
           {"?wait=301", "wait must be a number between 0 and 300, found '301'"},
           {"?retention=0", "retention must be a number between 1 and 2592000, found '0'"},
           {"?fsp=2",
            "unknown query parameter 'fsp', expected one of fps, max_frames, mode, stability, include, wait, "
            "name, retention"},
           {"?fps=2&fps=3", "fps is given twice, expected once"}}) {
    TestClient client(address_);
    const auto answer = PostRaw(client, query);
    EXPECT_EQ(answer.status, 400) << query;
    EXPECT_EQ(Parse(answer)["detail"], message);
  }
}

TEST_F(ApiTest, RefusesMoreBytesThanTheLimit) {
  Start({.max_upload_bytes = 1000});
  EXPECT_EQ(PostRaw(*client_, "", std::string(1000, 'x')).status, 200);
  const auto answer = PostRaw(*client_, "", std::string(1001, 'x'));
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(Code(answer), "too_large");
}

TEST_F(ApiTest, AnswersWithTheErrorOfAFailedAnalysisAndItsId) {
  analyzer_.result = [](const std::string&) -> Result<Report> {
    return Fail(ErrorCode::kLimitExceeded, "the clip is too long", "cut it", "max_duration");
  };
  Start();
  const auto answer = PostRaw(*client_, "");
  EXPECT_EQ(answer.status, 422);
  const auto problem = Parse(answer);
  EXPECT_EQ(problem["code"], "limit_exceeded");
  EXPECT_EQ(problem["limit"], "max_duration");
  const auto analysis = Parse(client_->Get("/v1/analyses/" + std::string(problem["id"])));
  EXPECT_EQ(analysis["state"], "failed");
  EXPECT_EQ(analysis["report"], nullptr);
  EXPECT_EQ(analysis["error"]["code"], "limit_exceeded");
  EXPECT_EQ(analysis["error"]["hint"], "cut it");
}

TEST_F(ApiTest, SurvivesAnAnalyzerThatThrows) {
  analyzer_.result = [](const std::string&) -> Result<Report> { throw std::runtime_error("secret"); };
  Start();
  const auto answer = PostRaw(*client_, "");
  EXPECT_EQ(answer.status, 500);
  EXPECT_THAT(answer.body, testing::Not(HasSubstr("secret")));
}

TEST_F(ApiTest, LeavesNoUploadInTheDataFolder) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "unmask-api-test";
  std::filesystem::remove_all(folder);
  Start({.data = folder / "made"});
  EXPECT_EQ(PostRaw(*client_, "").status, 200);
  EXPECT_TRUE(std::filesystem::is_directory(folder / "made"));
  EXPECT_TRUE(std::filesystem::is_empty(folder / "made"));
  std::filesystem::remove_all(folder);
}

// ---- states ----

TEST_F(ApiTest, AnswersAcceptedWhenTheWaitIsOver) {
  analyzer_.Close();
  Start();
  const auto answer = PostRaw(*client_, "?wait=0.05");
  EXPECT_EQ(answer.status, 202);
  const auto analysis = Parse(answer);
  EXPECT_EQ(answer.headers.at("Location"), "/v1/analyses/" + std::string(analysis["id"]));
  EXPECT_EQ(analysis["state"], "running");
  EXPECT_EQ(analysis["progress"], 0.25);
  EXPECT_EQ(analysis["finished"], nullptr);
  EXPECT_EQ(analysis["report"], nullptr);
}

TEST_F(ApiTest, LongPollsUntilTheAnalysisEnds) {
  analyzer_.Close();
  Start();
  const auto id = StartOne();
  EXPECT_EQ(Parse(client_->Get("/v1/analyses/" + id + "?wait=0.05"))["state"], "running");
  client_->Send("GET /v1/analyses/" + id + "?wait=300&include=faces HTTP/1.1\r\nHost: localhost\r\n\r\n");
  analyzer_.Open();
  const auto analysis = Parse(client_->Read());
  EXPECT_EQ(analysis["state"], "done");
  EXPECT_EQ(analysis["report"]["faces"].size(), 3u);
}

TEST_F(ApiTest, KeepsAnsweringWhileManyClientsWait) {
  analyzer_.Close();
  Start();
  const auto id = StartOne();
  std::vector<TestClient> waiting;
  for (int i = 0; i < 40; ++i) {
    waiting.emplace_back(address_);
    waiting.back().Send("GET /v1/analyses/" + id + "?wait=100 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
  EXPECT_EQ(client_->Get("/healthz").status, 200);
  EXPECT_EQ(client_->Get("/metrics").status, 200);
  analyzer_.Open();
  for (auto& client : waiting) EXPECT_EQ(Parse(client.Read())["state"], "done");
}

TEST_F(ApiTest, CancelsTheAnalysisOfAClientThatLeavesWhileItWaits) {
  analyzer_.Close();
  Start();
  {
    TestClient client(address_);
    SendRaw(client, "?wait=100");
    analyzer_.AwaitStarted(1);
  }
  analyzer_.AwaitReturned(1);
  const auto list = Parse(client_->Get("/v1/analyses"));
  const auto analysis =
      Parse(client_->Get("/v1/analyses/" + std::string(list["analyses"][0]["id"]) + "?wait=100"));
  EXPECT_EQ(analysis["state"], "cancelled");
  EXPECT_EQ(analysis["error"]["code"], "cancelled");
}

TEST_F(ApiTest, GoesOnWhenTheClientLeavesAfterAccepted) {
  analyzer_.Close();
  Start();
  std::string id;
  {
    TestClient client(address_);
    id = Parse(PostRaw(client, "?wait=0.01"))["id"];
  }
  analyzer_.AwaitStarted(1);
  analyzer_.Open();
  EXPECT_EQ(Parse(client_->Get("/v1/analyses/" + id + "?wait=100"))["state"], "done");
}

TEST_F(ApiTest, DeletesAnAnalysisAndCancelsIt) {
  analyzer_.Close();
  Start();
  const auto id = StartOne();
  client_->Send("DELETE /v1/analyses/" + id + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(client_->Read().status, 204);
  analyzer_.AwaitReturned(1);
  EXPECT_EQ(client_->Get("/v1/analyses/" + id).status, 404);
  client_->Send("DELETE /v1/analyses/" + id + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(client_->Read().status, 404);
}

TEST_F(ApiTest, TellsAWaitingClientThatItsAnalysisWasDeleted) {
  analyzer_.Close();
  Start();
  TestClient waiting(address_);
  SendRaw(waiting, "?wait=100");
  analyzer_.AwaitStarted(1);
  const auto id = std::string(Parse(client_->Get("/v1/analyses"))["analyses"][0]["id"]);
  client_->Send("DELETE /v1/analyses/" + id + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(client_->Read().status, 204);
  const auto answer = waiting.Read();
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(Code(answer), "cancelled");
}

TEST_F(ApiTest, SaysOverloadedWhenTheQueueIsFullBeforeTheUpload) {
  analyzer_.Close();
  Start({.max_queue = 1});
  StartOne();
  EXPECT_EQ(PostRaw(*client_, "?wait=0").status, 202);
  client_->Send(
      "POST /v1/analyses HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: "
      "1000000\r\n"
      "Expect: 100-continue\r\n\r\n");
  const auto answer = client_->Read();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(Code(answer), "overloaded");
  EXPECT_TRUE(answer.headers.contains("Retry-After"));
}

TEST_F(ApiTest, TakesAnAnalysisThatNeedNotWaitEvenWithoutAQueue) {
  Start({.max_queue = 0});
  for (int i = 0; i < 20; ++i) EXPECT_EQ(PostRaw(*client_, "").status, 200);
  analyzer_.Close();
  EXPECT_EQ(PostRaw(*client_, "?wait=0").status, 202);
  EXPECT_EQ(PostRaw(*client_, "?wait=0").status, 503);
}

TEST_F(ApiTest, FreesThePlaceOfACancelledAnalysisThatWaited) {
  analyzer_.Close();
  Start({.max_queue = 1});
  StartOne();
  const std::string waiting = Parse(PostRaw(*client_, "?wait=0"))["id"];
  EXPECT_EQ(StateOf(waiting), "queued");
  client_->Send("DELETE /v1/analyses/" + waiting + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(client_->Read().status, 204);
  EXPECT_EQ(PostRaw(*client_, "?wait=0").status, 202);
}

TEST_F(ApiTest, ForgetsTheOldestAnalysesFirst) {
  Start({.retention_count = 2});
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) {
    ids.push_back(Parse(PostRaw(*client_, ""))["id"]);
  }
  EXPECT_EQ(client_->Get("/v1/analyses/" + ids[0]).status, 404);
  EXPECT_EQ(client_->Get("/v1/analyses/" + ids[1]).status, 200);
  EXPECT_EQ(client_->Get("/v1/analyses/" + ids[2]).status, 200);
}

TEST_F(ApiTest, ListsNewestFirstInPages) {
  Start();
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) {
    ids.push_back(Parse(PostRaw(*client_, ""))["id"]);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // ids sort by milliseconds
  }
  auto page = Parse(client_->Get("/v1/analyses?limit=2&verdict=manipulated"));
  ASSERT_EQ(page["analyses"].size(), 2u);
  EXPECT_EQ(page["analyses"][0]["id"], ids[2]);
  EXPECT_EQ(page["next"], ids[1]);
  page = Parse(client_->Get("/v1/analyses?limit=2&after=" + std::string(page["next"])));
  ASSERT_EQ(page["analyses"].size(), 1u);
  EXPECT_EQ(page["analyses"][0]["id"], ids[0]);
  EXPECT_EQ(page["next"], nullptr);
  EXPECT_EQ(Parse(client_->Get("/v1/analyses?verdict=inconclusive"))["analyses"].size(), 0u);
  EXPECT_EQ(client_->Get("/v1/analyses?verdict=real").status, 400);
  EXPECT_EQ(client_->Get("/v1/analyses?limit=101").status, 400);
}

// ---- parts of an analysis ----

TEST_F(ApiTest, PagesTheFaces) {
  Start();
  const auto url = "/v1/analyses/" + std::string(Parse(PostRaw(*client_, ""))["id"]) + "/faces";
  auto page = Parse(client_->Get(url + "?limit=2"));
  EXPECT_EQ(page["faces"].size(), 2u);
  EXPECT_EQ(page["total"], 3);
  EXPECT_EQ(page["next"], 2);
  page = Parse(client_->Get(url + "?after=2"));
  EXPECT_EQ(page["faces"].size(), 1u);
  EXPECT_EQ(page["faces"][0]["frame"], 2);
  EXPECT_EQ(page["next"], nullptr);
  EXPECT_EQ(Parse(client_->Get(url + "?after=99"))["faces"].size(), 0u);
  EXPECT_EQ(client_->Get(url + "?after=-1").status, 400);
}

TEST_F(ApiTest, ServesTheBestFaceOfATrack) {
  Start();
  const auto url = "/v1/analyses/" + std::string(Parse(PostRaw(*client_, ""))["id"]) + "/tracks/";
  const auto picture = client_->Get(url + "1/best.jpg");
  EXPECT_EQ(picture.headers.at("Content-Type"), "image/jpeg");
  EXPECT_EQ(picture.body.substr(0, 3), "\xff\xd8\xff");
  for (const auto* track : {"2", "01", "x", "-1", "1%20"})
    EXPECT_EQ(client_->Get(url + track + "/best.jpg").status, 404) << track;
}

TEST_F(ApiTest, ServesTheHeatMapOfATrack) {
  Start();
  const auto url = "/v1/analyses/" + std::string(Parse(PostRaw(*client_, ""))["id"]) + "/tracks/";
  const auto picture = client_->Get(url + "1/heatmap.png");
  EXPECT_EQ(picture.status, 200);
  EXPECT_EQ(picture.headers.at("Content-Type"), "image/png");
  EXPECT_EQ(picture.body.substr(1, 3), "PNG");
  EXPECT_EQ(client_->Get(url + "2/heatmap.png").status, 404);
}

TEST_F(ApiTest, SaysThatTheModelDrawsNoHeatMap) {
  analyzer_.result = [](const std::string&) {
    auto report = FakeAnalyzer::MakeReport("clip.mp4");
    report.tracks[0].best.heat.reset();
    return report;
  };
  Start();
  const auto url = "/v1/analyses/" + std::string(Parse(PostRaw(*client_, ""))["id"]) + "/tracks/";
  EXPECT_EQ(client_->Get(url + "1/best.jpg").status, 200);
  const auto answer = client_->Get(url + "1/heatmap.png");
  EXPECT_EQ(answer.status, 404);
  EXPECT_THAT(std::string(Parse(answer)["detail"]), HasSubstr("draws no heat map"));
}

TEST_F(ApiTest, ServesTheReportForPeople) {
  analyzer_.result = [](const std::string&) {
    auto report = FakeAnalyzer::MakeReport("clip.mp4");
    report.limits = {"It sees only faces."};
    return report;
  };
  Start();
  const auto url = "/v1/analyses/" + std::string(Parse(PostRaw(*client_, ""))["id"]) + "/report.html";
  const auto page = client_->Get(url);
  EXPECT_EQ(page.headers.at("Content-Type"), "text/html; charset=utf-8");
  EXPECT_THAT(page.headers.at("Content-Security-Policy"), HasSubstr("default-src 'none'"));
  EXPECT_THAT(page.body, HasSubstr("It sees only faces."));
}

TEST_F(ApiTest, SaysConflictForPartsOfAnUnfinishedAnalysis) {
  analyzer_.Close();
  Start();
  const auto id = StartOne();
  for (const auto* part : {"/faces", "/report.html", "/tracks/1/best.jpg", "/tracks/1/heatmap.png"})
    EXPECT_EQ(client_->Get("/v1/analyses/" + id + part).status, 409) << part;
  for (const auto* part : {"", "/faces", "/report.html", "/tracks/1/best.jpg", "/events"})
    EXPECT_EQ(client_->Get(std::string("/v1/analyses/none") + part).status, 404) << part;
}

TEST_F(ApiTest, StreamsEventsUntilTheEnd) {
  analyzer_.Close();
  Start();
  const auto id = StartOne();
  client_->Send("GET /v1/analyses/" + id + "/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(client_->ReadUntil("event: progress\n"), HasSubstr("Content-Type: text/event-stream\r\n"));
  analyzer_.Open();
  const auto rest = client_->ReadToEnd();
  EXPECT_THAT(rest, HasSubstr("event: done\ndata: {\"id\":\"" + id + "\",\"state\":\"done\""));
  EXPECT_TRUE(rest.ends_with("\n\n"));

  TestClient late(address_);
  late.Send("GET /v1/analyses/" + id + "/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(late.ReadToEnd(), HasSubstr("event: done\n"));
  TestClient resumed(address_);
  resumed.Send("GET /v1/analyses/" + id +
               "/events HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: end\r\n\r\n");
  EXPECT_THAT(resumed.ReadToEnd(), testing::Not(HasSubstr("event:")));
}

// ---- operations ----

TEST_F(ApiTest, TellsHealthVersionLimitsAndModels) {
  Start({.max_upload_bytes = 12345});
  EXPECT_EQ(client_->Get("/healthz").body, "{\"status\":\"ok\"}\n");
  EXPECT_EQ(client_->Get("/readyz").status, 200);
  EXPECT_EQ(Parse(client_->Get("/version"))["libavcodec"], "59.37.100");
  EXPECT_EQ(Parse(client_->Get("/v1/limits"))["max_upload_bytes"], 12345);
  const auto models = Parse(client_->Get("/v1/models"))["models"];
  EXPECT_TRUE(
      std::any_of(models.begin(), models.end(), [](const auto& model) { return model["serving"] == true; }));
  EXPECT_EQ(Parse(client_->Get("/v1/models/face/1"))["measured"]["auc"], 0.94);
  for (const auto* model : {"face/999", "face/x", "none/1", "..%2F..%2Fetc/1"})
    EXPECT_EQ(client_->Get(std::string("/v1/models/") + model).status, 404) << model;
}

TEST_F(ApiTest, CountsInMetrics) {
  Start();
  PostRaw(*client_, "");
  const auto text = client_->Get("/metrics").body;
  EXPECT_THAT(text, HasSubstr("unmask_analyses_total{outcome=\"manipulated\"} 1"));
  EXPECT_THAT(text, HasSubstr("unmask_analyses_pending 0"));
  EXPECT_THAT(text, HasSubstr("unmask_faces_detected_total 3"));
  EXPECT_THAT(text, HasSubstr("unmask_frames_decoded_total 30"));
  EXPECT_THAT(
      text, HasSubstr("unmask_http_requests_total{method=\"POST\",route=\"/v1/analyses\",status=\"200\"} 1"));
  EXPECT_THAT(text, HasSubstr("unmask_build_info{version=\""));
  EXPECT_THAT(text, HasSubstr("unmask_model_score_bucket"));
  EXPECT_THAT(text, HasSubstr("unmask_uploads_in_progress 0"));
}

TEST_F(ApiTest, ServesThePageAndNothingElseFromDisk) {
  Start();
  const auto page = client_->Get("/");
  EXPECT_EQ(page.headers.at("Content-Type"), "text/html; charset=utf-8");
  EXPECT_THAT(page.headers.at("Content-Security-Policy"), HasSubstr("script-src 'self'"));
  EXPECT_EQ(client_->Get("/app.js").status, 200);
  EXPECT_EQ(client_->Get("/style.css").status, 200);
  EXPECT_EQ(Parse(client_->Get("/openapi.json"))["openapi"], "3.1.0");
  for (const auto* path : {"/../CMakeLists.txt", "/%2e%2e/CMakeLists.txt", "/..%2fCMakeLists.txt",
                           "/web/app.js", "/app.js/", "/index.html"})
    EXPECT_EQ(client_->Get(path).status, 404) << path;
}

// ---- start and end ----

TEST_F(ApiTest, SaysWhichAddressIsInUse) {
  Start();
  ServeOptions options;
  options.listen = address_;
  const auto second = RunServer(options, analyzer_, {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message, address_ + " is in use");
  EXPECT_THAT(second.error().hint, HasSubstr("--listen"));
}

TEST_F(ApiTest, RefusesOptionsOutOfRange) {
  for (const auto& options :
       {ServeOptions{.listen = "nowhere"}, ServeOptions{.jobs = -1}, ServeOptions{.max_queue = -1},
        ServeOptions{.retention = 0}, ServeOptions{.grace = -1}})
    EXPECT_EQ(RunServer(options, analyzer_, {}).error().code, ErrorCode::kBadRequest);
  EXPECT_EQ(RunServer({.data = "/proc/none"}, analyzer_, {}).error().code, ErrorCode::kUnreadable);
}

// ---- web pages of others ----

TEST_F(ApiTest, RefusesUploadsOfForeignPagesBeforeTheyAreRead) {
  Start();
  const std::string type = "Content-Type: application/octet-stream\r\n";
  client_->Send("POST /v1/analyses HTTP/1.1\r\nHost: " + address_ +
                "\r\nOrigin: https://page.example\r\nContent-Length: 1000000\r\n" + type + "\r\n");
  const auto refused = client_->Read();
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(Code(refused), "forbidden");
  EXPECT_EQ(refused.headers.count("Access-Control-Allow-Origin"), 0);
  TestClient other(address_);
  EXPECT_EQ(Parse(other.Get("/v1/analyses"))["analyses"].size(), 0);
  client_.emplace(address_);
  client_->Send("POST /v1/analyses HTTP/1.1\r\nHost: " + address_ + "\r\nOrigin: http://" + address_ +
                "\r\nContent-Length: 5\r\n" + type + "\r\nmedia");
  EXPECT_EQ(client_->Read().status, 200) << "its own page";
}

TEST_F(ApiTest, LetsPagesOfAllowedOriginsReadItsAnswers) {
  Start({.allow_origins = {"https://page.example"}});
  const std::string origin = "Origin: https://page.example\r\n";
  const auto answer = client_->Post("/v1/analyses?wait=0", "media", origin + "Content-Type: image/png\r\n");
  EXPECT_THAT(answer.status, testing::AnyOf(202, 200)) << "200 when it has ended by then";
  EXPECT_EQ(answer.headers.at("Access-Control-Allow-Origin"), "https://page.example");
  const auto wrong = client_->Get("/v1/analyses/none", origin);
  EXPECT_EQ(wrong.status, 404);
  EXPECT_EQ(wrong.headers.at("Access-Control-Allow-Origin"), "https://page.example")
      << "errors are for it, too";
  client_->Send("OPTIONS /v1/analyses/" + std::string(Parse(answer)["id"]) +
                " HTTP/1.1\r\nHost: localhost\r\n" + origin +
                "Access-Control-Request-Method: DELETE\r\n\r\n");
  const auto preflight = client_->Read();
  EXPECT_EQ(preflight.status, 204);
  EXPECT_THAT(preflight.headers.at("Access-Control-Allow-Methods"), HasSubstr("DELETE"));
  TestClient events(address_);
  events.Send("GET /v1/analyses/" + std::string(Parse(answer)["id"]) +
              "/events HTTP/1.1\r\nHost: localhost\r\n" + origin + "\r\n");
  EXPECT_THAT(events.ReadToEnd(), HasSubstr("Access-Control-Allow-Origin: https://page.example"));
}

TEST_F(ApiTest, ServesOnThisMachineAloneUnderKnownNames) {
  Start({.allow_hosts = {"media.example"}});
  const auto status = [&](const std::string& host) {
    TestClient client(address_);
    client.Send("GET /v1/analyses HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
    return client.Read().status;
  };
  EXPECT_EQ(status(address_), 200);
  EXPECT_EQ(status("localhost"), 200);
  EXPECT_EQ(status("media.example"), 200);
  EXPECT_EQ(status("rebound.example"), 403);
}

TEST_F(ApiTest, KeepsForeignPagesOutOfOtherListenersUnlessTheyAreForEverybody) {
  const auto routes = std::make_shared<http::Router>();
  routes->Get("/a", [](const auto&, http::Responder responder) { responder.Send({.body = "a"}); });
  std::promise<std::string> closed, open;
  const auto site = [&](bool any_page, std::promise<std::string>& url) {
    return ServedSite{.prefix = "",
                      .routes = routes,
                      .listen = {"127.0.0.1:0"},
                      .any_page = any_page,
                      .on_listening = [&url](const std::string& u) { url.set_value(u.substr(7)); },
                      .on_shutdown = {}};
  };
  thread_ = std::thread([&] {
    const ServeOptions options{.listen = "127.0.0.1:0", .web = UNMASK_SOURCE_DIR "/web"};
    result_ = RunServer(options, analyzer_, stop_.get_token(), {}, [&](const ServeParts&) {
      return Result<std::vector<ServedSite>>({site(false, closed), site(true, open)});
    });
  });
  const std::string origin = "Origin: https://page.example\r\n";
  TestClient to_closed(closed.get_future().get()), to_open(open.get_future().get());
  EXPECT_EQ(to_closed.Get("/a").status, 200);
  EXPECT_EQ(to_closed.Get("/a", origin).status, 403);
  EXPECT_EQ(to_open.Get("/a", origin).status, 200);
  Stop();
}

TEST_F(ApiTest, ChecksNamesOnALoopbackAddressUnasked) {
  Start();
  client_->Send("GET /v1/analyses HTTP/1.1\r\nHost: rebound.example\r\n\r\n");
  EXPECT_EQ(client_->Read().status, 403);
}

TEST_F(ApiTest, LetsRunningAnalysesFinishAtShutdown) {
  analyzer_.Close();
  Start({.grace = 20});
  TestClient waiting(address_);
  SendRaw(waiting, "?wait=100");
  analyzer_.AwaitStarted(1);
  stop_.request_stop();
  analyzer_.Open();
  EXPECT_EQ(Parse(waiting.Read())["state"], "done");
  Stop();
  EXPECT_TRUE(result_);
}

TEST_F(ApiTest, AnswersEveryWaitingClientWhenTheGraceIsOver) {
  analyzer_.Close();
  Start({.grace = 0.05});
  const auto id = StartOne();
  TestClient posted(address_), polling(address_), events(address_);
  SendRaw(posted, "?wait=100");
  polling.Send("GET /v1/analyses/" + id + "?wait=100 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  events.Send("GET /v1/analyses/" + id + "/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  events.ReadUntil("event: progress\n");
  while (Parse(client_->Get("/v1/analyses"))["analyses"].size() < 2) {
  }
  stop_.request_stop();
  EXPECT_EQ(posted.Read().status, 503);
  EXPECT_EQ(Parse(polling.Read())["state"], "cancelled");
  EXPECT_THAT(events.ReadToEnd(), HasSubstr("event: failed\n"));
  Stop();
  EXPECT_TRUE(result_);
}

TEST_F(ApiTest, IsNotReadyDuringTheRoutingDelay) {
  analyzer_.Close();
  Start({.routing_delay = 0.5});
  StartOne();
  stop_.request_stop();
  TestAnswer ready;
  do {
    ready = TestClient(address_).Get("/readyz");
  } while (ready.status == 200);
  EXPECT_EQ(ready.status, 503);
  EXPECT_EQ(TestClient(address_).Get("/healthz").status, 200);
  analyzer_.Open();
}

}  // namespace
}  // namespace unmask
