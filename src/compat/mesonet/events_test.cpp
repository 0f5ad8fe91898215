// SPDX-License-Identifier: Apache-2.0
#include "compat/mesonet/events.hpp"

#include <condition_variable>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "compat/test_context.hpp"

namespace unmask::compat {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using testing::ElementsAre;
using testing::HasSubstr;

/// Keeps what is emitted.
class RecordingSocket : public socketio::Socket {
 public:
  const std::string& id() const override { return id_; }
  const std::string& nsp() const override { return nsp_; }
  const http::Request& request() const override { return request_; }
  std::stop_token gone() const override { return {}; }
  void Emit(std::string_view event, const ordered_json& arguments) override {
    const std::lock_guard lock(mutex_);
    events_.emplace_back(event, arguments);
    changed_.notify_all();
  }
  void EmitWithAck(std::string_view, const ordered_json&, double, AckHandler) override {}
  void Disconnect(bool) override {}

  /// The payload of the first event of that name that has not been taken yet; waits for it.
  ordered_json Await(const std::string& name) {
    std::unique_lock lock(mutex_);
    for (;;) {
      for (; taken_ < events_.size(); ++taken_)
        if (events_[taken_].first == name) return events_[taken_++].second;
      if (changed_.wait_for(lock, std::chrono::seconds(20)) == std::cv_status::timeout) return nullptr;
    }
  }
  std::vector<std::string> Names() {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> names;
    for (const auto& [name, payload] : events_)
      names.push_back(payload.contains("stage") ? payload["stage"].get<std::string>() : name);
    return names;
  }

 private:
  const std::string id_ = "socket-id";
  const std::string nsp_ = "/";
  const http::Request request_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<std::string, ordered_json>> events_;
  std::size_t taken_ = 0;
};

class MesonetEvents : public ContractTest {
 protected:
  void SetUp() override {
    core_ = std::make_shared<MesonetCore>(Context(Contract::kMesonetApi));
    events_ = std::move(*MesonetConnect(core_)(socket_, nullptr));
    analyzer_.analyze = [this](const std::filesystem::path& file, const AnalysisOptions& options,
                               ProgressSink* progress, const std::stop_token& stop) -> Result<Report> {
      content_ = *ReadSmallFile(file);
      const MediaFacts media{.kind = MediaKind::kVideo, .fps = 25, .frames = 10};
      progress->OnMedia(media);
      if (const auto pick = options.pick(media); !pick) return tl::unexpected(pick.error());
      for (std::int64_t i = 0; i < 10; ++i) progress->OnFrame({.index = i, .faces = i == 3 ? 0 : 2}, i + 1);
      if (hang_) {
        hanging_.request_stop();
        std::mutex mutex;
        std::unique_lock lock(mutex);
        std::condition_variable_any().wait(lock, stop, [] { return false; });
        return Fail(ErrorCode::kCancelled, "cancelled");
      }
      return Frames({{0, 0.25F}, {1, 0.25F}});
    };
  }
  void TearDown() override {
    if (events_) events_->OnDisconnect("transport close");
    service_.Shutdown(0);  // its threads use what this class has, and the service is the base class's
    events_.reset();
  }

  /// Sends an event; counts the acknowledgement.
  void Send(const std::string& name, json arguments) {
    events_->OnEvent({name, arguments, socketio::Ack([this](const ordered_json& values) {
                        EXPECT_EQ(values, ordered_json::array());
                        ++acks_;
                      })});
  }
  void Chunk(json data) { Send("video_chunk", json::array({std::move(data)})); }

  std::shared_ptr<RecordingSocket> socket_ = std::make_shared<RecordingSocket>();
  std::shared_ptr<MesonetCore> core_;
  std::unique_ptr<socketio::SocketEvents> events_;
  std::atomic<int> acks_ = 0;
  std::string content_;
  bool hang_ = false;
  std::stop_source hanging_;
};

TEST_F(MesonetEvents, GreetAndAnswerPings) {
  EXPECT_EQ(socket_->Await("connection_established").dump(),
            R"({"sid":"socket-id","status":"connected","detector_ready":true})");
  Send("ping", json::array({json::object()}));
  EXPECT_TRUE(socket_->Await("pong")["detector_ready"]);
  EXPECT_EQ(acks_, 1);
}

TEST_F(MesonetEvents, IgnoreUnknownEventsAndOtherNumbersOfArguments) {
  Send("ping", json::array());
  Send("ping", json::array({1, 2}));
  Send("nobody knows", json::array({1}));
  EXPECT_THAT(socket_->Names(), ElementsAre("connection_established"));
  EXPECT_EQ(acks_, 0);
}

TEST_F(MesonetEvents, TellHowAnAnalysisGoes) {
  Send("predict_video", json::array({{{"video", "data:video/mp4;base64,dmlkZW8="}}}));
  const auto result = socket_->Await("prediction_complete");
  EXPECT_EQ(content_, "video");
  EXPECT_EQ(result["source"], "single_upload");
  EXPECT_EQ(result["num_faces_processed"], 2);
  EXPECT_THAT(socket_->Names(),
              ElementsAre("connection_established", "prediction_started", "video_loaded", "processing_frames",
                          "batch_complete", "batch_complete", "running_prediction", "prediction_complete"));
}

TEST_F(MesonetEvents, AcknowledgeWhenTheJobIsOver) {
  hang_ = true;
  Send("predict_video", json::array({{{"video", "dmlkZW8="}}}));
  socket_->Await("prediction_progress");
  EXPECT_EQ(acks_, 0);
}

TEST_F(MesonetEvents, JoinChunksWhenAllHaveCome) {
  Chunk({{"chunk_id", 1}, {"total_chunks", 2}, {"chunk", "ZW8="}});
  EXPECT_EQ(acks_, 1);
  Chunk({{"chunk_id", 0}, {"total_chunks", 2}, {"chunk", "dmlk"}});
  EXPECT_EQ(socket_->Await("prediction_complete")["source"], "chunked_upload");
  EXPECT_EQ(content_, "video");
}

TEST_F(MesonetEvents, KeepUploadsApartThatHaveNames) {
  Chunk({{"upload_id", "a"}, {"chunk_id", 0}, {"chunk", "dmlk"}});
  Chunk({{"upload_id", "b"}, {"chunk_id", 0}, {"chunk", "b3RoZXI="}, {"is_last", true}});
  socket_->Await("prediction_complete");
  EXPECT_EQ(content_, "other");
  Chunk({{"upload_id", "a"}, {"chunk_id", 1}, {"chunk", "ZW8="}, {"is_last", true}});
  socket_->Await("prediction_complete");
  EXPECT_EQ(content_, "video");
}

TEST_F(MesonetEvents, BoundTheUploadsOfOneClient) {
  for (const char* const name : {"a", "b", "c", "d"}) Chunk({{"upload_id", name}, {"chunk", "AAAA"}});
  Chunk({{"upload_id", "e"}, {"chunk", "AAAA"}});
  EXPECT_THAT(socket_->Await("chunk_error")["error"], HasSubstr("upload_id"));
  Chunk({{"upload_id", 7}, {"chunk", "AAAA"}});
  EXPECT_THAT(socket_->Await("chunk_error")["error"], HasSubstr("upload_id"));
}

TEST_F(MesonetEvents, RefuseWhatIsTooLongWithoutEndingTheSession) {
  EXPECT_TRUE(events_->OnOversize(1'000'000, {}));
  EXPECT_THAT(socket_->Await("prediction_error")["error"], HasSubstr("1000000"));
  Chunk({{"chunk", "AAAA"}});
  EXPECT_TRUE(events_->OnOversize(1'000'000, {}));
  EXPECT_THAT(socket_->Await("chunk_error")["error"], HasSubstr("1000000"));
}

TEST_F(MesonetEvents, EndTheAnalysisWhenTheClientLeaves) {
  hang_ = true;
  Send("predict_video", json::array({{{"video", "dmlkZW8="}}}));
  socket_->Await("prediction_progress");
  events_->OnDisconnect("transport close");
  service_.Shutdown(20);  // returns when nothing runs any more
  EXPECT_THAT(socket_->Names(), testing::Not(testing::Contains("prediction_error")));
  EXPECT_EQ(acks_, 0);
}

TEST_F(MesonetEvents, BoundTheAnalysesOfOneClient) {
  hang_ = true;
  for (int i = 0; i < 9; ++i) Send("predict_video", json::array({{{"video", "dmlkZW8="}}}));
  EXPECT_THAT(socket_->Await("prediction_error")["error"], HasSubstr("8 videos"));
  EXPECT_EQ(acks_, 1);
}

TEST_F(MesonetEvents, SayWhenTheDetectorIsNotReady) {
  ready_ = false;
  Send("predict_video", json::array({{{"video", "dmlkZW8="}}}));
  EXPECT_EQ(socket_->Await("prediction_error")["error"], "Detector not initialized");
  Chunk({{"chunk", "dmlkZW8="}, {"is_last", true}});
  EXPECT_EQ(socket_->Await("prediction_error")["error"], "Detector not initialized");
  EXPECT_EQ(acks_, 2);
}

}  // namespace
}  // namespace unmask::compat
