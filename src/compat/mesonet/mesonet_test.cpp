// SPDX-License-Identifier: Apache-2.0
#include "compat/mesonet/mesonet.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compat/test_context.hpp"
#include "http/server.hpp"
#include "http/test_client.hpp"

namespace unmask::compat {
namespace {

using testing::HasSubstr;

/// The routes on a real listener; waits are never over, so only what is answered at once can be asked for.
class MesonetApi : public ContractTest {
 protected:
  http::TestAnswer Upload(const std::string& part) {
    http::TestClient client(address_);
    return client.Post("/upload", "--XX\r\nContent-Disposition: form-data; " + part + "\r\n--XX--\r\n",
                       "Content-Type: multipart/form-data; boundary=XX\r\n");
  }
  http::TestAnswer Get(const std::string& path) { return http::TestClient(address_).Get(path); }

  const std::unique_ptr<http::Server> server_ = http::Server::Create({});
  const std::string address_ =
      *server_->Listen("127.0.0.1:0", MakeMesonetApi(Context(Contract::kMesonetApi)).routes);
};

TEST_F(MesonetApi, IsNotReadyBeforeItLooksAtTheTypeButAfterItMissesTheFile) {
  const std::string picture = "name=\"file\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\nx";
  EXPECT_EQ(Upload(picture).status, 400);
  EXPECT_EQ(Upload(picture).body, R"({"detail":"File must be a video"})");
  ready_ = false;
  const auto refused = Upload(picture);
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.body, R"({"detail":"Detector not initialized"})");
  EXPECT_EQ(Upload("name=\"other\"\r\n\r\nx").status, 422);
}

TEST_F(MesonetApi, SaysThatItIsUnhealthyWithStatus200) {
  ready_ = false;
  const auto health = Get("/health");
  EXPECT_EQ(health.status, 200);
  EXPECT_THAT(health.body, testing::StartsWith(R"({"status":"unhealthy","detector_loaded":false,)"));
  EXPECT_THAT(Get("/").body, HasSubstr(R"("detector_ready":false,)"));
}

}  // namespace
}  // namespace unmask::compat
