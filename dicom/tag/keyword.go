package tag

import (
	"sort"
	"sync"
)

// byKeyword is an index into entries, made at the first look-up.
var byKeyword = sync.OnceValue(func() []int {
	index := make([]int, 0, len(entries))
	for i := range entries {
		if entries[i].Keyword != "" {
			index = append(index, i)
		}
	}
	sort.Slice(index, func(i, j int) bool { return entries[index[i]].Keyword < entries[index[j]].Keyword })
	return index
})

// ByKeyword finds the entry of a keyword, exactly as PS3.6 spells it.
// Repeating groups are found with their lowest tag. Safe for concurrent use.
func ByKeyword(keyword string) (Entry, bool) {
	index := byKeyword()
	i := sort.Search(len(index), func(i int) bool { return entries[index[i]].Keyword >= keyword })
	if i < len(index) && entries[index[i]].Keyword == keyword {
		return entries[index[i]], true
	}
	for i := range repeating {
		if repeating[i].Keyword == keyword {
			return repeating[i].Entry, true
		}
	}
	return Entry{}, false
}
