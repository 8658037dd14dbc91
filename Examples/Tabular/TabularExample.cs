using MLExtensions.Examples.Infrastructure;

namespace MLExtensions.Examples.Tabular;

/// <summary>Small tables, where decision trees are usual: networks and ML.NET's own trainers on the same folds.</summary>
internal sealed class TabularExample : IExample
{
    private static readonly ExampleOption Seeds = new("seeds", "N", "Number of cross-validations, on the folds of seeds 1 to N.", "1");
    private const double LeastAreaUnderCurve = 0.99;
    private const double LeastRSquared = 0.45;

    public string Name => "tabular";

    public ExampleHelp Help => new(
        "Cross-validates networks and ML.NET's own trainers on two small tables, breast cancer and diabetes.",
        ShippedData.Describe("breast_cancer.csv", "diabetes.csv"),
        "about 15 seconds for each seed",
        null);

    public IReadOnlyList<ExampleOption> Options => [Seeds];

    public ResultLine Run(ExampleArguments arguments, CancellationToken cancellationToken)
    {
        var seedCount = arguments.Integer(Seeds, least: 1);
        var result = new ResultLine();
        foreach (var (trainer, areaUnderCurve) in BreastCancer.Compare(seedCount, cancellationToken))
            result[$"breast-cancer.{trainer}.auc"] = areaUnderCurve;
        foreach (var (trainer, rSquared) in Diabetes.Compare(seedCount, cancellationToken))
            result[$"diabetes.{trainer}.r2"] = rSquared;
        if (result["breast-cancer.mlp.auc"] < LeastAreaUnderCurve)
            result.Failure = $"The network's area under the curve on breast cancer is below {LeastAreaUnderCurve}.";
        else if (result["diabetes.mlp.r2"] < LeastRSquared)
            result.Failure = $"The network's R² on diabetes is below {LeastRSquared}.";
        return result;
    }
}
