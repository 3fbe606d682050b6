// SPDX-License-Identifier: Apache-2.0
/* hnswlib behind C functions; see graph_peer.h. */
#include "graph_peer.h"

#include <hnswlib/hnswlib.h>

namespace {

struct peer {
	hnswlib::SpaceInterface<float> *space;
	hnswlib::HierarchicalNSW<float> *index;
};

} // namespace

void *peer_make(uint32_t dim, size_t count, int inner_product, uint32_t links, uint32_t effort)
{
	auto *made = new peer;

	if (inner_product)
		made->space = new hnswlib::InnerProductSpace(dim);
	else
		made->space = new hnswlib::L2Space(dim);
	made->index = new hnswlib::HierarchicalNSW<float>(made->space, count, links, effort);
	return made;
}

void peer_add(void *peer_made, const float *row, size_t number)
{
	static_cast<peer *>(peer_made)->index->addPoint(row, number);
}

void peer_search(void *peer_made, const float *query, uint32_t k, uint32_t effort, uint32_t *rows)
{
	auto *index = static_cast<peer *>(peer_made)->index;

	index->setEf(effort);
	auto found = index->searchKnn(query, k);
	for (uint32_t i = k; i-- > 0; found.pop())
		rows[i] = static_cast<uint32_t>(found.top().second);
}
