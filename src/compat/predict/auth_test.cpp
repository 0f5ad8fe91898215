// SPDX-License-Identifier: Apache-2.0
#include "compat/predict/auth.hpp"

#include <gtest/gtest.h>

namespace unmask::compat {
namespace {

/// "ok", or the status and the detail.
std::string Check(const std::string& header, std::string_view secret = "s3cret") {
  const auto refusal = CheckBearer(&header, secret);
  return refusal ? std::to_string(refusal->status) + " " + refusal->detail : "ok";
}

// The answers of FastAPI 0.116.1.
TEST(PredictAuth, TakesTheSecretAlone) {
  EXPECT_EQ(Check("Bearer s3cret"), "ok");
  EXPECT_EQ(Check("bEARER s3cret"), "ok");
  EXPECT_EQ(Check("Bearer wrong"), "401 Invalid token");
  EXPECT_EQ(Check("Bearer s3cre"), "401 Invalid token");
  EXPECT_EQ(Check("Bearer s3cret2"), "401 Invalid token");
  EXPECT_EQ(Check("Bearer  s3cret"), "401 Invalid token") << "a second space is part of the token";
}

TEST(PredictAuth, RefusesAHeaderWithoutAToken) {
  EXPECT_EQ(CheckBearer(nullptr, "s3cret")->status, 403);
  EXPECT_EQ(Check(""), "403 Not authenticated");
  EXPECT_EQ(Check("Bearer"), "403 Not authenticated");
  EXPECT_EQ(Check("Bearer "), "403 Not authenticated");
  EXPECT_EQ(Check(" s3cret"), "403 Not authenticated");
}

TEST(PredictAuth, RefusesOtherSchemes) {
  EXPECT_EQ(Check("Basic s3cret"), "403 Invalid authentication credentials");
  EXPECT_EQ(Check("Bearers s3cret"), "403 Invalid authentication credentials");
}

TEST(PredictAuth, LetsNobodyInWithAnEmptySecret) {
  EXPECT_EQ(Check("Bearer ", ""), "403 Not authenticated");
  EXPECT_EQ(Check("Bearer x", ""), "401 Invalid token");
}

TEST(PredictAuth, WarnsOfTheKnownSecretAndRefusesItWhenStrict) {
  ContractSettings settings;
  EXPECT_TRUE(CheckAuthSettings(settings)) << "without REQUIRE_AUTH the secret has no use";
  settings.require_auth = true;
  EXPECT_TRUE(CheckAuthSettings(settings));
  settings.strict = true;
  EXPECT_FALSE(CheckAuthSettings(settings));
  settings.jwt_secret = "";
  EXPECT_FALSE(CheckAuthSettings(settings));
  settings.jwt_secret = "a better one";
  EXPECT_TRUE(CheckAuthSettings(settings));
}

}  // namespace
}  // namespace unmask::compat
