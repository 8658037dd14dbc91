using System.Numerics;
using System.Runtime.CompilerServices;
using MLExtensions.Tensors;

namespace MLExtensions.Families.Neighbors;

/// <summary>
/// Searches blocks of vectors for those nearest to some queries, on the calling thread. Products in single precision only say which rows
/// may be near enough; their distances are then computed exactly. So what is found depends neither on the size of blocks nor on the
/// processor.
/// </summary>
internal sealed unsafe class BlockSearch
{
    // With the queries of a group, the rows of a tile and their products stay in the second cache.
    private const int TileRows = 96;

    /// <summary>Fewer queries are searched one by one where vectors have codes.</summary>
    public const int SingleQueries = 6;

    private readonly QueryBlock _queries;
    private readonly float[] _thresholds;
    private float[] _products = [];

    /// <param name="queries">The queries.</param>
    /// <param name="count">The number of neighbors of each.</param>
    public BlockSearch(QueryBlock queries, int count)
    {
        _queries = queries;
        _thresholds = new float[queries.Stride];
        Array.Fill(_thresholds, float.NegativeInfinity);
        Array.Fill(_thresholds, float.PositiveInfinity, 0, queries.Count);
        Found = new NeighborList[queries.Count];
        for (var query = 0; query < Found.Length; query++)
            Found[query] = new NeighborList(count);
    }

    /// <summary>The nearest rows of each query so far.</summary>
    public NeighborList[] Found { get; }

    /// <summary>Searches a block of rows.</summary>
    public void Search(VectorBlock block)
    {
        if (block.Codes != null && _queries.Count < SingleQueries)
        {
            for (var query = 0; query < _queries.Count; query++)
                SearchCodes(block, query);
        }
        else
        {
            SearchProducts(block);
        }
    }

    private void SearchProducts(VectorBlock block)
    {
        if (_products.Length == 0)
            _products = GC.AllocateUninitializedArray<float>(TileRows * _queries.Stride);
        fixed (float* values = block.Values, columns = _queries.Columns, products = _products)
        {
            for (var row = 0; row < block.Count; row += TileRows)
            {
                var rows = Math.Min(TileRows, block.Count - row);
                var used = (_queries.Count + MatrixProduct.Group - 1) / MatrixProduct.Group * MatrixProduct.Group;
                MatrixProduct.Compute(
                    new StridedMatrix(values + ((long)row * block.Width), rows, block.Width, block.Width),
                    new StridedMatrix(columns, block.Width, used, _queries.Stride),
                    new StridedMatrix(products, rows, used, _queries.Stride));
                for (var i = 0; i < rows; i++)
                    ScreenQueries(block, row + i, products + ((long)i * _queries.Stride));
            }
        }
    }

    /// <summary>Screens a row for all queries.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void ScreenQueries(VectorBlock block, int row, float* products)
    {
        var (add, factor, slack) = (new Vector<float>(block.Screen.Add[row]), new Vector<float>(block.Screen.Factor[row]), new Vector<float>(block.Screen.Slack[row]));
        fixed (float* lengths = _queries.Lengths, thresholds = _thresholds)
        {
            for (var query = 0; query < _queries.Count; query += Vector<float>.Count)
            {
                // What is not greater includes NaN.
                var bound = add + (factor * Vector.Load(products + query)) - (slack * Vector.Load(lengths + query));
                if (Vector.GreaterThanAll(bound, Vector.Load(thresholds + query)))
                    continue;
                var end = Math.Min(_queries.Count, query + Vector<float>.Count);
                for (var lane = query; lane < end; lane++)
                {
                    if (!(bound[lane - query] > thresholds[lane]))
                        Offer(block, row, lane);
                }
            }
        }
    }

    /// <summary>Multiplies the codes of a panel of rows with a query and screens the rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void SearchCodes(VectorBlock block, int query)
    {
        var (codes, screen, width) = (block.Codes!, block.Codes!.Screen, block.Width);
        var length = new Vector<float>(_queries.Lengths[query]);
        var sums = stackalloc float[VectorCodes.PanelRows];
        fixed (sbyte* values = codes.Values)
        fixed (float* factors = _queries.Row(query), adds = screen.Add, scales = screen.Factor, slacks = screen.Slack)
        {
            for (var panel = 0; panel < block.Count; panel += VectorCodes.PanelRows)
            {
                CodeProducts.Multiply(values + ((long)panel * width), factors, width, sums);
                for (var place = 0; place < VectorCodes.PanelRows; place += Vector<float>.Count)
                {
                    var row = panel + place;
                    if (row >= block.Count)
                        break;
                    var bound = Vector.Load(adds + row) + (Vector.Load(scales + row) * Vector.Load(sums + place)) - (Vector.Load(slacks + row) * length);
                    if (Vector.GreaterThanAll(bound, new Vector<float>(_thresholds[query])))
                        continue;
                    var end = Math.Min(block.Count, row + Vector<float>.Count);
                    for (var lane = row; lane < end; lane++)
                    {
                        if (!(bound[lane - row] > _thresholds[query]))
                            Offer(block, lane, query);
                    }
                }
            }
        }
    }

    private void Offer(VectorBlock block, int row, int query)
    {
        var distance = ExactDistance.Of(_queries.Distance, block.Row(row), _queries.Row(query), block.SquareOf(row), _queries.SquareOf(query));
        var found = Found[query];
        if (found.Offer(distance, block.NumberOf(row)))
            _thresholds[query] = _queries.ThresholdOf(query, found.Bound);
    }
}
