using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.VectorData;
using MLExtensions.Galleries;

namespace MLExtensions;

/// <summary>A collection of a <see cref="SqliteGalleryStore"/>, which says how it stores and searches.</summary>
/// <remarks>
/// Every operation checks that the collection is of the same properties and of the same model as the records, and throws an
/// <see cref="InvalidOperationException"/> that names both if it is not. One collection can be used by several threads.
/// </remarks>
/// <typeparam name="TKey">The type of the keys: string, int, long or Guid; object for dynamic collections.</typeparam>
/// <typeparam name="TRecord">The type of the records.</typeparam>
public sealed class SqliteGallery<TKey, TRecord> : VectorStoreCollection<TKey, TRecord>, IGallery<TRecord>
    where TKey : notnull
    where TRecord : class
{
    private readonly GalleryFile _file;
    private readonly GalleryLayout _layout;

    internal SqliteGallery(GalleryFile file, string name, VectorStoreCollectionDefinition? definition)
    {
        _file = file;
        _layout = new GalleryLayout(name, GalleryModelBuilder.Build(name, typeof(TRecord), typeof(TKey), definition));
    }

    /// <inheritdoc/>
    public override string Name => _layout.Name;

    /// <summary>The model whose vectors the collection has; null if that is not said. See <see cref="SqliteGalleryOptions.ModelFingerprint"/>.</summary>
    public string? ModelFingerprint => _file.Model;

    /// <inheritdoc/>
    public override async Task<bool> CollectionExistsAsync(CancellationToken cancellationToken = default) =>
        File.Exists(_file.Path) && await Read("CollectionExists", (connection, transaction) => GalleryFile.Find(connection, transaction, Name) != null, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">It exists with other properties, or with vectors of another model.</exception>
    public override Task EnsureCollectionExistsAsync(CancellationToken cancellationToken = default) => Write("CreateCollection", (connection, transaction) =>
    {
        if (GalleryFile.Find(connection, transaction, Name) is { } existing)
        {
            Check(existing);
            return;
        }
        var entry = GalleryFile.Create(connection, transaction, Name, _layout.Description, _file.Model);
        foreach (var sql in _layout.CreateTable(entry))
        {
            using var command = GalleryFile.Command(connection, transaction, sql);
            command.ExecuteNonQuery();
        }
    }, cancellationToken);

    /// <inheritdoc/>
    public override Task EnsureCollectionDeletedAsync(CancellationToken cancellationToken = default) => File.Exists(_file.Path)
        ? Write("DeleteCollection", (connection, transaction) => GalleryFile.Delete(connection, transaction, Name), cancellationToken)
        : Task.CompletedTask;

    /// <inheritdoc/>
    public override Task<TRecord?> GetAsync(TKey key, RecordRetrievalOptions? options = null, CancellationToken cancellationToken = default) =>
        Read("Get", (connection, transaction) => Get(connection, transaction, [_layout.KeyOf(key)], options).FirstOrDefault(), cancellationToken);

    /// <inheritdoc/>
    public override async IAsyncEnumerable<TRecord> GetAsync(IEnumerable<TKey> keys, RecordRetrievalOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keys);
        var wanted = keys.Select(key => _layout.KeyOf(key)).ToArray();
        foreach (var record in await Read("Get", (connection, transaction) => Get(connection, transaction, wanted, options), cancellationToken).ConfigureAwait(false))
            yield return record;
    }

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">The filter cannot be translated to SQL; the message says what is the matter.</exception>
    public override async IAsyncEnumerable<TRecord> GetAsync(
        Expression<Func<TRecord, bool>> filter, int top, FilteredRecordRetrievalOptions<TRecord>? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(filter);
        ArgumentOutOfRangeException.ThrowIfLessThan(top, 1);
        options ??= new FilteredRecordRetrievalOptions<TRecord>();
        var (condition, parameters) = GalleryFilter.Translate(_layout.Model, filter);
        var order = options.OrderBy?.Invoke(new FilteredRecordRetrievalOptions<TRecord>.OrderByDefinition()).Values
            .Select(sort => $"{GalleryLayout.Quote(_layout.Model.GetDataOrKeyProperty(sort.PropertySelector))} {(sort.Ascending ? "ASC" : "DESC")}") ?? [];
        var records = await Read("Get", (connection, transaction) =>
        {
            var entry = Require(connection, transaction);
            var sql = FormattableString.Invariant($"SELECT {_layout.Columns(options.IncludeVectors)} FROM {entry.Table} WHERE {condition} ORDER BY {string.Join(", ", order.Append("rowid"))} LIMIT {top} OFFSET {options.Skip}");
            using var command = GalleryFile.Command(connection, transaction, sql, parameters);
            return ReadAll(command, options.IncludeVectors);
        }, cancellationToken).ConfigureAwait(false);
        foreach (var record in records)
            yield return record;
    }

    /// <summary>Deletes a record. If there is none with the key, nothing happens.</summary>
    public override Task DeleteAsync(TKey key, CancellationToken cancellationToken = default) => DeleteAsync([key], cancellationToken);

    /// <summary>Deletes records, all or none. Keys that are not there are ignored.</summary>
    public override Task DeleteAsync(IEnumerable<TKey> keys, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keys);
        var gone = keys.Select(key => _layout.KeyOf(key)).ToArray();
        return Write("Delete", (connection, transaction) =>
        {
            using var command = GalleryFile.Command(connection, transaction, $"DELETE FROM {Require(connection, transaction).Table} WHERE {_layout.Key} = $key", ("$key", DBNull.Value));
            foreach (var key in gone)
            {
                command.Parameters[0].Value = key;
                command.ExecuteNonQuery();
            }
        }, cancellationToken);
    }

    /// <summary>Adds a record, or replaces the one with the same key.</summary>
    /// <exception cref="ArgumentException">
    /// A vector has another length, or is not finite, or all zeros with a cosine, or a value cannot be stored; the message names property and key.
    /// </exception>
    public override Task UpsertAsync(TRecord record, CancellationToken cancellationToken = default) => UpsertAsync([record], cancellationToken);

    /// <summary>Adds records, or replaces those with the same keys: all or none. Of several with the same key the last one stays.</summary>
    /// <inheritdoc cref="UpsertAsync(TRecord, CancellationToken)" path="/exception"/>
    public override Task UpsertAsync(IEnumerable<TRecord> records, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(records);
        var rows = records.Select(record => _layout.Values(record ?? throw new ArgumentException($"Collection '{Name}': a record is null.", nameof(records)))).ToArray();
        return Write("Upsert", (connection, transaction) =>
        {
            using var command = GalleryFile.Command(connection, transaction, _layout.Upsert(Require(connection, transaction)));
            foreach (var row in rows)
            {
                for (var i = 0; i < row.Length; i++)
                {
                    var name = FormattableString.Invariant($"$p{i}");
                    if (command.Parameters.Count <= i)
                        command.Parameters.AddWithValue(name, row[i]);
                    else
                        command.Parameters[i].Value = row[i];
                }
                command.ExecuteNonQuery();
            }
        }, cancellationToken);
    }

    /// <inheritdoc/>
    /// <remarks>The search is exact; of equally near records the one that was added first comes first.</remarks>
    /// <exception cref="NotSupportedException">The filter cannot be translated to SQL, or the value is no vector.</exception>
    /// <exception cref="ArgumentException">The vector has another length, or is not finite, or all zeros with a cosine.</exception>
    public override async IAsyncEnumerable<VectorSearchResult<TRecord>> SearchAsync<TInput>(
        TInput searchValue, int top, VectorSearchOptions<TRecord>? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(top, 1);
        if (GalleryVector.TryRead(searchValue) == null)
            throw new NotSupportedException($"Collection '{Name}' is searched by {GalleryVector.SupportedTypes}, not by {typeof(TInput).Name}. A gallery makes no embeddings of its own: compute them before.");
        var property = _layout.Model.GetVectorPropertyOrSingle(options ?? new VectorSearchOptions<TRecord>());
        var vector = GalleryVector.Read(property, searchValue, "The vector that is searched");
        foreach (var result in (await SearchAsync([vector], top, options, cancellationToken).ConfigureAwait(false))[0])
            yield return result;
    }

    /// <inheritdoc/>
    Task<VectorSearchResult<TRecord>[][]> IGallery<TRecord>.SearchAsync(IReadOnlyList<ReadOnlyMemory<float>> vectors, int top, VectorSearchOptions<TRecord>? options, CancellationToken cancellation)
    {
        var property = _layout.Model.GetVectorPropertyOrSingle(options ?? new VectorSearchOptions<TRecord>());
        return SearchAsync(vectors.Select(vector => GalleryVector.Read(property, vector, "The vector that is searched")).ToArray(), top, options, cancellation);
    }

    /// <inheritdoc/>
    public override object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey != null)
            return null;
        if (serviceType == typeof(VectorStoreCollectionMetadata))
            return new VectorStoreCollectionMetadata { VectorStoreSystemName = GalleryFile.SystemName, VectorStoreName = _file.Path, CollectionName = Name };
        return serviceType.IsInstanceOfType(this) ? this : null;
    }

    private Task<VectorSearchResult<TRecord>[][]> SearchAsync(ReadOnlyMemory<float>[] vectors, int top, VectorSearchOptions<TRecord>? options, CancellationToken cancellation)
    {
        options ??= new VectorSearchOptions<TRecord>();
        var search = new GallerySearch(_layout, _layout.Model.GetVectorPropertyOrSingle(options), options.Filter, checked(top + options.Skip), cancellation);
        return Read("Search", (connection, transaction) =>
        {
            var entry = Require(connection, transaction);
            var found = search.Run(connection, transaction, entry, vectors, _file.Threads);
            using var command = GalleryFile.Command(connection, transaction, $"SELECT {_layout.Columns(options.IncludeVectors)} FROM {entry.Table} WHERE rowid = $row", ("$row", 0L));
            return Array.ConvertAll(found, hits => hits
                .TakeWhile(hit => search.Score.Reaches(hit.Score, options.ScoreThreshold))
                .Skip(options.Skip)
                .Select(hit =>
                {
                    command.Parameters[0].Value = hit.Row;
                    return new VectorSearchResult<TRecord>(ReadAll(command, options.IncludeVectors)[0], hit.Score);
                })
                .ToArray());
        }, cancellation);
    }

    private List<TRecord> Get(SqliteConnection connection, SqliteTransaction transaction, object[] keys, RecordRetrievalOptions? options)
    {
        var includeVectors = options?.IncludeVectors ?? false;
        var entry = Require(connection, transaction);
        using var command = GalleryFile.Command(connection, transaction, $"SELECT {_layout.Columns(includeVectors)} FROM {entry.Table} WHERE {_layout.Key} = $key", ("$key", DBNull.Value));
        var records = new List<TRecord>();
        foreach (var key in keys)
        {
            command.Parameters[0].Value = key;
            records.AddRange(ReadAll(command, includeVectors));
        }
        return records;
    }

    private List<TRecord> ReadAll(SqliteCommand command, bool includeVectors)
    {
        using var reader = command.ExecuteReader();
        var records = new List<TRecord>();
        while (reader.Read())
            records.Add(_layout.Read<TRecord>(reader, includeVectors));
        return records;
    }

    private GalleryEntry Require(SqliteConnection connection, SqliteTransaction transaction)
    {
        var entry = GalleryFile.Find(connection, transaction, Name) ?? throw _file.Failure("Open", Name, "the collection does not exist. Call EnsureCollectionExistsAsync first.");
        Check(entry);
        return entry;
    }

    private void Check(GalleryEntry entry)
    {
        if (entry.Model != _file.Model)
            throw new InvalidOperationException($"Collection '{Name}' of gallery '{_file.Path}' has vectors of {ModelName(entry.Model)}, but the store was opened for {ModelName(_file.Model)}: vectors of two models cannot be compared. Use a collection for each model.");
        if (entry.Layout != _layout.Description)
            throw new InvalidOperationException($"Collection '{Name}' of gallery '{_file.Path}' was created with other properties. It has\n{entry.Layout}\nand the records have\n{_layout.Description}");
    }

    private static string ModelName(string? fingerprint) => fingerprint == null ? "a model without a fingerprint" : $"model '{fingerprint}'";

    private Task<T> Read<T>(string operation, Func<SqliteConnection, SqliteTransaction, T> work, CancellationToken cancellation) => _file.RunAsync(operation, Name, connection =>
    {
        // A snapshot: what others write meanwhile is not seen.
        using var transaction = connection.BeginTransaction(deferred: true);
        return work(connection, transaction);
    }, cancellation);

    private Task Write(string operation, Action<SqliteConnection, SqliteTransaction> work, CancellationToken cancellation) => _file.RunAsync(operation, Name, connection =>
    {
        // The right to write is taken at once: who takes it later may have read what others have changed since.
        using var transaction = connection.BeginTransaction(deferred: false);
        work(connection, transaction);
        transaction.Commit();
        return true;
    }, cancellation);
}
