using System.Text;
using Microsoft.ML;
using MLExtensions.Families.LanguageModels;
using MLExtensions.Training;
using MLExtensions.Tensors;

namespace MLExtensions.Text;

/// <summary>Reads a text column row by row.</summary>
internal static class RowTexts
{
    /// <summary>Creates the tokenizer of a text column.</summary>
    /// <exception cref="ArgumentException">There are texts, but their vocabulary is empty.</exception>
    public static TextTokenizer CreateTokenizer(Tokenization tokenization, IDataView data, string column, Action check)
    {
        var builder = tokenization.CreateBuilder();
        var hasText = false;
        if (builder.NeedsText)
        {
            ForEachRow(data, column, check, (text, _, _) =>
            {
                builder.Add(text);
                hasText |= !text.IsWhiteSpace();
            });
        }
        var tokenizer = builder.Build();
        if (hasText)
            RequireTokens(tokenizer, column);
        return tokenizer;
    }

    /// <summary>Checks that a vocabulary has more than its special tokens.</summary>
    /// <exception cref="ArgumentException">It has not.</exception>
    public static void RequireTokens(TextTokenizer tokenizer, string column)
    {
        if (tokenizer.VocabularySize <= (tokenizer.UnknownId == null ? 1 : 2))
            throw new ArgumentException($"The vocabulary of column '{column}' is empty, because none of its tokens occurs as often as minimumCount of the tokenization asks for. Lower it, or use more texts.");
    }

    /// <summary>Returns the tokens of all rows, including the end of each row.</summary>
    /// <param name="data">The rows.</param>
    /// <param name="column">The text column.</param>
    /// <param name="tokenizer">What makes tokens of them.</param>
    /// <param name="buffering">Where the tokens are held.</param>
    /// <param name="check">Called now and then; throws to stop.</param>
    /// <param name="counts">Receives the numbers of tokens, of unknown ones, and of rows without text.</param>
    /// <exception cref="FormatException">A row contains something that is not in the vocabulary.</exception>
    /// <param name="part">Which rows to read; null for all.</param>
    /// <param name="contextColumn">The column of what is read before a row, or null. It is followed by the end of a row.</param>
    /// <param name="rows">Receives where the rows are; null if they are one text.</param>
    public static TokenStore Read(IDataView data, string column, TextTokenizer tokenizer, Buffering buffering, Action check, DataCounts counts, TextPart? part = null, string? contextColumn = null, List<TextRow>? rows = null)
    {
        var store = TokenStore.Create(buffering);
        var tokens = new List<int>();
        try
        {
            ForEachRow(data, column, check, Add, part, contextColumn);
            return store;
        }
        catch
        {
            store.Dispose();
            throw;
        }

        void Add(ReadOnlySpan<char> text, ReadOnlySpan<char> context, long row)
        {
            tokens.Clear();
            if (!context.IsEmpty)
            {
                TextColumn.Encode(tokenizer, context, tokens, contextColumn!, row);
                tokens.Add(tokenizer.EndOfSequenceId);
            }
            var first = tokens.Count;
            TextColumn.Encode(tokenizer, text, tokens, column, row);
            counts.Add(DataCounts.Tokens, tokens.Count - first);
            counts.Add(DataCounts.EmptyTexts, tokens.Count == first ? 1 : 0);
            if (tokenizer.UnknownId is { } unknown)
                counts.Add(DataCounts.UnknownTokens, tokens.Skip(first).Count(token => token == unknown));
            tokens.Add(tokenizer.EndOfSequenceId);
            rows?.Add(new TextRow(store.Count, first, tokens.Count));
            store.Append(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(tokens));
        }
    }

    /// <summary>Chooses the groups of rows that are held out for validation.</summary>
    public static RowGroups ChooseGroups(IDataView data, string groupColumn, double fraction, int seed)
    {
        return RowGroups.Choose(RowGroups.Count(Read()), fraction, seed, groupColumn);

        IEnumerable<ulong> Read()
        {
            var column = GroupColumn.Find(data.Schema, groupColumn);
            using var cursor = data.GetRowCursor([column]);
            var getGroup = GroupColumn.Open(cursor, column);
            var group = new StringBuilder();
            while (cursor.MoveNext())
            {
                getGroup(ref group);
                yield return GroupColumn.Hash(group);
            }
        }
    }

    /// <summary>Reads the texts of a column.</summary>
    /// <param name="data">The rows.</param>
    /// <param name="column">The text column.</param>
    /// <param name="check">Called for each row; throws to stop.</param>
    /// <param name="action">Receives each text, its context, and the number of its row.</param>
    /// <param name="part">Which rows to read; null for all.</param>
    /// <param name="contextColumn">The text column of contexts; null for none, then they are empty.</param>
    public static void ForEachRow(IDataView data, string column, Action check, Action<ReadOnlySpan<char>, ReadOnlySpan<char>, long> action, TextPart? part = null, string? contextColumn = null)
    {
        var found = data.Schema[column];
        var foundContext = contextColumn == null ? default(DataViewSchema.Column?) : data.Schema[contextColumn];
        var groupColumn = part == null ? default(DataViewSchema.Column?) : GroupColumn.Find(data.Schema, part.GroupColumn);
        using var cursor = data.GetRowCursor(new[] { found, groupColumn, foundContext }.OfType<DataViewSchema.Column>());
        var getGroup = groupColumn is { } groups ? GroupColumn.Open(cursor, groups) : null;
        var group = new StringBuilder();
        var getter = cursor.GetGetter<ReadOnlyMemory<char>>(found);
        var getContext = foundContext is { } contexts ? cursor.GetGetter<ReadOnlyMemory<char>>(contexts) : null;
        ReadOnlyMemory<char> text = default, context = default;
        while (cursor.MoveNext())
        {
            getter(ref text);
            getContext?.Invoke(ref context);
            check();
            getGroup?.Invoke(ref group);
            if (part == null || part.Groups.IsHeld(GroupColumn.Hash(group)) == part.IsHeld)
                action(text.Span, context.Span, cursor.Position);
        }
    }
}

/// <summary>The rows of a text that train, or those that validate.</summary>
/// <param name="GroupColumn">The column of groups.</param>
/// <param name="Groups">The groups that are held out.</param>
/// <param name="IsHeld">Whether to read the rows that are held out.</param>
internal sealed record TextPart(string GroupColumn, RowGroups Groups, bool IsHeld);
