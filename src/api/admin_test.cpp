// SPDX-License-Identifier: Apache-2.0
#include "api/admin.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unmask {
namespace {

const std::string kToken = "0123456789abcdef";

http::Request Asking(const std::vector<std::string>& authorizations) {
  http::Request request;
  for (const auto& value : authorizations) request.headers.Add("Authorization", value);
  return request;
}

TEST(Admin, IsWhoSendsTheToken) {
  EXPECT_FALSE(RefuseUnlessAdmin(Asking({"Bearer " + kToken}), kToken));
  EXPECT_FALSE(RefuseUnlessAdmin(Asking({"bearer " + kToken}), kToken))
      << "RFC 9110: schemes compare without case";
}

TEST(Admin, IsNobodyWithoutATokenInTheSettings) {
  for (const auto& request : {Asking({}), Asking({"Bearer "}), Asking({"Bearer " + kToken})})
    EXPECT_EQ(RefuseUnlessAdmin(request, "").value().status, 403);
}

TEST(Admin, IsNobodyElse) {
  for (const auto& sent : std::vector<std::vector<std::string>>{{},
                                                                {""},
                                                                {"Bearer"},
                                                                {"Bearer "},
                                                                {kToken},
                                                                {"Basic " + kToken},
                                                                {"Bearer  " + kToken},
                                                                {"Bearer " + kToken + " "},
                                                                {"Bearer " + kToken.substr(1)},
                                                                {"Bearer " + kToken, "Bearer " + kToken}}) {
    const auto refusal = RefuseUnlessAdmin(Asking(sent), kToken);
    ASSERT_TRUE(refusal);
    EXPECT_EQ(refusal->status, 401);
    EXPECT_EQ(*refusal->headers.Find("WWW-Authenticate"), "Bearer");
    EXPECT_THAT(refusal->body, testing::Not(testing::HasSubstr(kToken)));
  }
}

}  // namespace
}  // namespace unmask
