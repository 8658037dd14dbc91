using System.Linq.Expressions;
using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.VectorData;
using Microsoft.Extensions.VectorData.ProviderServices;
using MLExtensions.Families.Neighbors;

namespace MLExtensions.Galleries;

/// <summary>Collections that can search for many vectors in one pass over theirs.</summary>
internal interface IGallery<TRecord>
    where TRecord : class
{
    Task<VectorSearchResult<TRecord>[][]> SearchAsync(IReadOnlyList<ReadOnlyMemory<float>> vectors, int top, VectorSearchOptions<TRecord>? options, CancellationToken cancellation);
}

/// <summary>Reads the vectors of a collection block by block and searches each.</summary>
internal sealed class GallerySearch
{
    private const int BlockRows = 1024;

    private readonly GalleryLayout _layout;
    private readonly VectorPropertyModel _property;
    private readonly string _condition;
    private readonly IReadOnlyList<(string Name, object Value)> _parameters;
    private readonly int _count;
    private readonly CancellationToken _cancellation;

    /// <param name="layout">The collection.</param>
    /// <param name="property">The vectors.</param>
    /// <param name="filter">Which records; null for all.</param>
    /// <param name="count">How many neighbors.</param>
    /// <param name="cancellation">Cancels the search.</param>
    public GallerySearch(GalleryLayout layout, VectorPropertyModel property, LambdaExpression? filter, int count, CancellationToken cancellation)
    {
        (_layout, _property, _count, _cancellation) = (layout, property, count, cancellation);
        (_condition, _parameters) = GalleryFilter.Translate(layout.Model, filter);
        Score = GalleryScore.Of(property);
    }

    public GalleryScore Score { get; }

    /// <summary>The rows that are nearest to each vector, and their scores, the nearest first.</summary>
    public (long Row, double Score)[][] Run(SqliteConnection connection, SqliteTransaction transaction, GalleryEntry entry, ReadOnlyMemory<float>[] vectors, int threads)
    {
        using var command = GalleryFile.Command(connection, transaction, $"SELECT rowid, {GalleryLayout.Quote(_property)} FROM {entry.Table} WHERE {_condition} ORDER BY rowid", _parameters);
        using var reader = command.ExecuteReader();
        var queries = new QueryBlock(Score.Distance, _property.Dimensions, vectors.Length);
        foreach (var vector in vectors)
            queries.Add(vector.Span);
        // A single thread reads; while it does, others search what was read before.
        var searches = new BlockSearch[vectors.Length >= BlockSearch.SingleQueries ? Math.Max(1, threads) : 1];
        var blocks = new (VectorBlock Block, Task Search)[searches.Length];
        for (var i = 0; i < searches.Length; i++)
        {
            searches[i] = new BlockSearch(queries, _count);
            blocks[i] = (new VectorBlock(Score.Distance, _property.Dimensions, BlockRows, withCodes: false) { Numbers = new long[BlockRows] }, Task.CompletedTask);
        }
        for (var (turn, more) = (0, true); more; turn = (turn + 1) % searches.Length)
        {
            blocks[turn].Search.GetAwaiter().GetResult();
            _cancellation.ThrowIfCancellationRequested();
            var (block, search) = (blocks[turn].Block, searches[turn]);
            more = Fill(reader, block);
            if (searches.Length == 1)
                search.Search(block);
            else
                blocks[turn].Search = Task.Run(() => search.Search(block), CancellationToken.None);
        }
        Task.WaitAll(Array.ConvertAll(blocks, block => block.Search), CancellationToken.None);
        foreach (var search in searches.Skip(1))
        {
            for (var query = 0; query < vectors.Length; query++)
                searches[0].Found[query].Offer(search.Found[query]);
        }
        return Array.ConvertAll(searches[0].Found, Hits);
    }

    /// <summary>Whether there may be more rows.</summary>
    private bool Fill(SqliteDataReader reader, VectorBlock block)
    {
        block.Clear();
        while (!block.IsFull)
        {
            if (!reader.Read())
                return false;
            block.Numbers![block.Count] = reader.GetInt64(0);
            var bytes = reader.GetFieldValue<byte[]>(1);
            if (bytes.Length != sizeof(float) * _property.Dimensions)
                throw new InvalidOperationException(FormattableString.Invariant($"Collection '{_layout.Name}': the vector of row {block.Numbers![block.Count]} has {bytes.Length} bytes, not {sizeof(float) * _property.Dimensions}: something else has written into the file."));
            block.Add(BitConverter.IsLittleEndian ? MemoryMarshal.Cast<byte, float>(bytes) : GalleryVector.FromBytes(bytes));
        }
        return true;
    }

    private (long Row, double Score)[] Hits(NeighborList list)
    {
        var hits = new (long, double)[list.Count];
        for (var i = 0; i < hits.Length; i++)
            hits[i] = (list.Rows[i], Score.Convert(ExactDistance.Finish(Score.Distance, list.Distances[i])));
        return hits;
    }
}
