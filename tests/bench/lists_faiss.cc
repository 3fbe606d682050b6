// SPDX-License-Identifier: Apache-2.0
/* FAISS' inverted lists: lists_faiss.h. */
#include <string>
#include <vector>

#include <faiss/IndexIVF.h>
#include <faiss/IndexRefine.h>
#include <faiss/index_factory.h>
#include <omp.h>

#include "lists_faiss.h"

void *lists_faiss_build(const float *rows, uint64_t count, uint32_t dim,
			uint32_t lists, int product, int quantised)
{
	std::string name = "IVF" + std::to_string(lists);
	faiss::Index *index;

	omp_set_num_threads(1);
	if (quantised)
		name += ",PQ" + std::to_string(dim / (dim > 256 ? 8 : 2)) +
			"x4fs,RFlat";
	else
		name += ",Flat";
	index = faiss::index_factory((int)dim, name.c_str(),
				     product ? faiss::METRIC_INNER_PRODUCT :
					       faiss::METRIC_L2);
	index->train((faiss::Index::idx_t)count, rows);
	index->add((faiss::Index::idx_t)count, rows);
	if (quantised)
		dynamic_cast<faiss::IndexRefine &>(*index).k_factor = 4;
	return index;
}

void lists_faiss_search(void *index, const float *query, uint32_t k,
			uint32_t probe, int64_t *ids)
{
	auto *base = static_cast<faiss::Index *>(index);
	std::vector<float> distances(k);

	if (auto *refine = dynamic_cast<faiss::IndexRefine *>(base))
		dynamic_cast<faiss::IndexIVF &>(*refine->base_index).nprobe =
			probe;
	else
		dynamic_cast<faiss::IndexIVF &>(*base).nprobe = probe;
	base->search(1, query, k, distances.data(), ids);
}
