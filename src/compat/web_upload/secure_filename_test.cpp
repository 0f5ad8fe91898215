// SPDX-License-Identifier: Apache-2.0
#include "compat/web_upload/secure_filename.hpp"

#include <gtest/gtest.h>

namespace unmask::compat {
namespace {

TEST(SecureFilename, GivesWhatWerkzeugGives) {
  EXPECT_EQ(SecureFilename("../../etc/x.PNG"), "etc_x.PNG");
  EXPECT_EQ(SecureFilename("\345\233\276.png"), "png");
  EXPECT_EQ(SecureFilename("My cool  movie.mov"), "My_cool_movie.mov");
  EXPECT_EQ(SecureFilename("i contain cool \303\274ml\303\244uts.txt"), "i_contain_cool_umlauts.txt");
  EXPECT_EQ(SecureFilename("C:\\a\\b.png"), "Cab.png");
  EXPECT_EQ(SecureFilename("a\011b\012.png"), "a_b_.png");
  EXPECT_EQ(SecureFilename("__a__.png"), "a__.png");
  EXPECT_EQ(SecureFilename("..."), "");
  EXPECT_EQ(SecureFilename(""), "");
  EXPECT_EQ(SecureFilename("\303\205ng str\303\266m \304\263 \305\211.jpg"), "Ang_strom_ij_n.jpg");
  EXPECT_EQ(SecureFilename("\357\274\267\357\275\211\357\275\204\357\275\205.png"), "Wide.png");
  EXPECT_EQ(SecureFilename("a_/_b.png"), "a___b.png");
  EXPECT_EQ(SecureFilename("\302\275 \342\202\254.png"), "12_.png");
  EXPECT_EQ(SecureFilename("stra\303\237e.jpg"), "strae.jpg");
  EXPECT_EQ(SecureFilename(" lead.png "), "lead.png");
  EXPECT_EQ(SecureFilename("a\034b.png"), "a_b.png");
  EXPECT_EQ(SecureFilename(std::string_view("a\000b.png", 7)), "ab.png");
}

TEST(HasPictureExtension, LooksBehindTheLastDot) {
  for (const char* name : {"a.jpg", "a.JPEG", "a.b.Png", ".png", "a/b.png"})
    EXPECT_TRUE(HasPictureExtension(name));
  for (const char* name : {"", "png", "a.png.exe", "a.png ", "a.", "a.gif"})
    EXPECT_FALSE(HasPictureExtension(name));
}

}  // namespace
}  // namespace unmask::compat
