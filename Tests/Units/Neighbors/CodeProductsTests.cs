using MLExtensions.Families.Neighbors;

namespace MLExtensions.Tests.Neighbors;

/// <summary>Products of codes, in the registers of whatever processor the test runs on.</summary>
[TestClass]
[TestCategory("Heart")]
public sealed class CodeProductsTests
{
    [TestMethod]
    [DataRow(1)]
    [DataRow(2)]
    [DataRow(31)]
    [DataRow(128)]
    [DataRow(700)]
    public unsafe void Sums_AreThoseOfEachRow(int width)
    {
        var random = new Random(TestSeed.Of(width));
        var codes = Enumerable.Range(0, width * VectorCodes.PanelRows).Select(_ => (sbyte)random.Next(-128, 128)).ToArray();
        var factors = Enumerable.Range(0, width).Select(_ => (random.NextSingle() * 2) - 1).ToArray();
        var sums = new float[VectorCodes.PanelRows + 2];
        (sums[0], sums[^1]) = (7, 9);
        fixed (sbyte* panel = codes)
        fixed (float* query = factors, destination = sums)
            CodeProducts.Multiply(panel, query, width, destination + 1);
        Assert.AreEqual((7f, 9f), (sums[0], sums[^1]), "what lies around the sums");
        for (var row = 0; row < VectorCodes.PanelRows; row++)
        {
            var (exact, sizes) = (0.0, 0.0);
            for (var column = 0; column < width; column++)
            {
                var product = codes[(column * VectorCodes.PanelRows) + row] * (double)factors[column];
                (exact, sizes) = (exact + product, sizes + Math.Abs(product));
            }
            // Half a unit in the last place for each product and each sum; screening allows for more.
            Assert.AreEqual(exact, sums[row + 1], sizes * (width + 1) / (1 << 24), $"row {row}");
        }
    }
}
