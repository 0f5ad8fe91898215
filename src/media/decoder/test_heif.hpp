// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace unmask::decoder {

/// For tests: HEIF files, box by box (ISO/IEC 14496-12 and 23008-12).

inline std::string BigEndian(std::uint64_t value, int bytes) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) text.push_back(static_cast<char>(value >> shift));
  return text;
}

inline std::string MakeBox(const std::string& type, const std::string& content) {
  return BigEndian(8 + content.size(), 4) + type + content;
}

inline std::string MakeFullBox(const std::string& type, int version, const std::string& content) {
  return MakeBox(type, BigEndian(static_cast<std::uint64_t>(version) << 24, 4) + content);
}

inline std::string SizeBox(std::uint32_t width, std::uint32_t height) {
  return MakeFullBox("ispe", 0, BigEndian(width, 4) + BigEndian(height, 4));
}

/// What a grid of one-byte counts and two-byte sizes says of itself.
inline std::string GridData(int rows, int columns, int width, int height) {
  return std::string(2, '\0') + BigEndian(static_cast<std::uint64_t>(rows - 1), 1) +
         BigEndian(static_cast<std::uint64_t>(columns - 1), 1) +
         BigEndian(static_cast<std::uint64_t>(width), 2) + BigEndian(static_cast<std::uint64_t>(height), 2);
}

struct HeifItem {
  std::uint16_t id = 1;
  std::string type = "hvc1";
  std::string data;
  std::vector<std::string> properties;  ///< whole boxes
};

struct HeifReference {
  std::string type;
  std::uint16_t from = 0;
  std::vector<std::uint16_t> to;
};

/// The first item is the primary one. Their data are in one 'mdat' behind everything else.
inline std::string HeifFile(const std::vector<HeifItem>& items,
                            const std::vector<HeifReference>& references = {}) {
  std::string entries, properties, associations, references_content, data;
  int property = 0;
  for (const HeifItem& item : items) {
    entries += MakeFullBox("infe", 2, BigEndian(item.id, 2) + BigEndian(0, 2) + item.type + BigEndian(0, 1));
    associations += BigEndian(item.id, 2) + BigEndian(item.properties.size(), 1);
    for (const std::string& box : item.properties) {
      properties += box;
      associations += BigEndian(static_cast<std::uint64_t>(++property), 1);
    }
    data += item.data;
  }
  for (const HeifReference& reference : references) {
    std::string content = BigEndian(reference.from, 2) + BigEndian(reference.to.size(), 2);
    for (const std::uint16_t to : reference.to) content += BigEndian(to, 2);
    references_content += MakeBox(reference.type, content);
  }
  const auto head = [&](std::size_t data_start) {
    std::string places = BigEndian(0x4400, 2) + BigEndian(items.size(), 2);
    for (const HeifItem& item : items) {
      places += BigEndian(item.id, 2) + BigEndian(0, 2) + BigEndian(1, 2) + BigEndian(data_start, 4) +
                BigEndian(item.data.size(), 4);
      data_start += item.data.size();
    }
    return MakeBox("ftyp", std::string("heic") + BigEndian(0, 4) + "mif1heic") +
           MakeFullBox(
               "meta", 0,
               MakeFullBox("hdlr", 0, BigEndian(0, 4) + "pict" + BigEndian(0, 8) + BigEndian(0, 5)) +
                   MakeFullBox("pitm", 0, BigEndian(items.at(0).id, 2)) + MakeFullBox("iloc", 0, places) +
                   MakeFullBox("iinf", 0, BigEndian(items.size(), 2) + entries) +
                   MakeFullBox("iref", 0, references_content) +
                   MakeBox("iprp", MakeBox("ipco", properties) +
                                       MakeFullBox("ipma", 0, BigEndian(items.size(), 4) + associations)));
  };
  return head(head(0).size() + 8) + MakeBox("mdat", data);
}

}  // namespace unmask::decoder
